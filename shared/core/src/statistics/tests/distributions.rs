//! Against scipy 1.17.1.

use super::*;
use proptest::prelude::*;

#[test]
fn normal_tails() {
    for (x, sf) in [
        (0.0, 0.5),
        (1.0, 0.158_655_253_931_457_07),
        (-1.5, 0.933_192_798_731_141_9),
        (5.0, 2.866_515_718_791_933e-7),
        (10.0, 7.619_853_024_160_47e-24),
        (37.0, 5.725_571_222_523_926_6e-300),
    ] {
        assert_close(normal_sf(x), sf, 1e-12);
        assert_close(normal_cdf(-x), sf, 1e-12);
    }
}

#[test]
fn normal_quantiles() {
    for (p, x) in [
        (0.025, 1.959_963_984_540_054_5),
        (1e-10, 6.361_340_902_404_056),
        (1e-300, 37.047_096_299_361_2),
        (0.3, 0.524_400_512_708_040_9),
        (0.999, -3.090_232_306_167_813),
    ] {
        assert_close(normal_isf(p), x, 1e-14);
    }
    assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
    assert_eq!(normal_quantile(1.0), f64::INFINITY);
    assert!(normal_quantile(-0.1).is_nan() && normal_quantile(1.1).is_nan() && normal_quantile(f64::NAN).is_nan());
}

#[test]
fn student_tails() {
    for (t, df, sf) in [
        (0.5, 3.0, 0.325_723_982_424_075_5),
        (2.0, 1.0, 0.147_583_617_650_433_26),
        (12.0, 5.0, 3.544_746_258_580_761e-5),
        (40.0, 1e3, 5.239_426_077_586_636e-210),
        (1.96, 1e6, 0.024_998_033_792_634_926),
        (6.0, 2.5, 0.007_640_864_942_761_449_5),
        (1e5, 3.0, 1.102_657_790_446_627_3e-15),
        (0.001, 1e8, 0.499_601_057_787_086_3),
        (3.0, 1e12, 0.001_349_898_031_663_335_3),
    ] {
        assert_close(student_sf(t, df), sf, 1e-12);
        assert_close(student_sf(-t, df), 1.0 - sf, 1e-11);
    }
}

#[test]
fn student_quantiles() {
    for (p, df, t) in [
        (0.025, 1.0, 12.706_204_736_174_705),
        (0.025, 10.0, 2.228_138_851_986_275_3),
        (1e-6, 1.5, 5_219.469_324_706_944_5),
        (1e-9, 30.0, 8.445_862_796_274_243),
        (0.025, 1_238.17, 1.961_881_776_500_007_6),
    ] {
        assert_close(student_isf(p, df), t, 1e-12);
        assert_close(student_isf(1.0 - p, df), -t, 1e-6);
    }
    assert_eq!(student_isf(0.0, 3.0), f64::INFINITY);
    assert!(student_isf(0.5, 0.0).is_nan() && student_sf(1.0, -1.0).is_nan());
}

#[test]
fn chi_squared_tails() {
    for (x, df, sf) in [
        (0.99, 1, 0.319_742_374_492_270_55),
        (7.8, 3, 0.050_331_097_859_853_326),
        (100.0, 3, 1.554_159_431_389_602_6e-21),
        (1.0, 10, 0.999_827_884_370_044_1),
        (2_000.0, 900, 2.388_088_486_893_714_4e-85),
    ] {
        assert_close(chi_squared_sf(x, df), sf, 1e-11);
    }
    assert_eq!((chi_squared_sf(0.0, 3), chi_squared_sf(f64::INFINITY, 3)), (1.0, 0.0));
}

proptest! {
    #[test]
    fn quantiles_undo_tails(exponent in -250.0..-0.01_f64, df in 0.5..1e5_f64) {
        let p = 10_f64.powf(exponent);
        prop_assert!(close(normal_sf(normal_isf(p)), p, 1e-11));
        let t = student_isf(p, df);
        prop_assert!(!t.is_finite() || close(student_sf(t, df), p, 1e-9), "{p} {df}: {t}");
    }

    #[test]
    fn tails_fall(x in 0.0..30.0_f64, step in 0.001..1.0_f64, df in 1.0..1e6_f64, arms in 1_u32..50) {
        prop_assert!(normal_sf(x + step) < normal_sf(x));
        prop_assert!(student_sf(x + step, df) < student_sf(x, df));
        prop_assert!(chi_squared_sf(x + step, arms) <= chi_squared_sf(x, arms));
    }

    #[test]
    fn student_is_heavier_than_normal(x in 0.01..20.0_f64, df in 0.5..1e6_f64) {
        prop_assert!(student_sf(x, df) > normal_sf(x) * (1.0 - 1e-9));
    }
}
