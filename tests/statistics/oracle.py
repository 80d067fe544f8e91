"""Compares the statistics tool with scipy, statsmodels, gbstats and ssrm-test over random cases, extreme ones among them.

Usage: oracle.py PROGRAM [SEED]. Runs `PROGRAM batch` once; prints one JSON object a check.
"""

import gc
import json
import math
import subprocess
import sys

import numpy

# ssrm-test was written for numpy 1.
numpy.Inf = numpy.inf
# statsmodels' multipletests collects garbage at each call, a tenth of a second.
gc.collect = lambda *_: 0

from gbstats.frequentist.tests import FrequentistConfig, SequentialConfig, SequentialTwoSidedTTest, TwoSidedTTest
from gbstats.models.statistics import (
    ProportionStatistic,
    QuantileClusteredStatistic,
    RatioStatistic,
    RegressionAdjustedStatistic,
    SampleMeanStatistic,
    compute_theta,
)
from scipy import integrate, stats
from ssrm_test.ssrm_test import sequential_posteriors
from statsmodels.api import OLS
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

random = numpy.random.default_rng(int(sys.argv[2]) if len(sys.argv) > 2 else 20_251_121)
checks = {}


def check(name, seen, expected, tolerance, absolute=0.0, case=None):
    """Counts a comparison; `tolerance` is relative."""
    entry = checks.setdefault(name, {"check": name, "cases": 0, "worst": 0.0, "tolerance": tolerance, "wrong": []})
    entry["cases"] += 1
    seen = float("nan") if seen is None else float(seen)
    expected = float(expected)
    if seen == expected:
        return
    error = abs(seen - expected)
    size = max(abs(seen), abs(expected))
    if error > absolute:
        entry["worst"] = max(entry["worst"], error / size) if math.isfinite(error) else float("inf")
    if not error <= max(absolute, tolerance * size) and len(entry["wrong"]) < 5:
        entry["wrong"].append({"case": case, "seen": str(seen), "expected": str(expected)})


def tail(name, seen, expected, case):
    """A p-value: the oracles underflow to 0 where this tool still has figures, and the other way round."""
    if max(seen, expected) < 1e-280:
        seen = expected
    check(name, seen, expected, 1e-9, case=case)


def size(low, high):
    return int(math.exp(random.uniform(math.log(low), math.log(high + 1))))


def levels():
    alpha = float(random.choice([0.05, 0.01, 0.1, 0.001]))
    planned = size(100, 1_000_000)
    return alpha, planned, ["--alpha", repr(alpha), "--planned", str(planned)]


def sequential(a, b, alpha, planned):
    return SequentialTwoSidedTTest(
        a, b, SequentialConfig(difference_type="absolute", alpha=alpha, sequential_tuning_parameter=planned)
    )


def fixed(a, b, alpha):
    return TwoSidedTTest(a, b, FrequentistConfig(difference_type="absolute", alpha=alpha))


def ends(name, seen, expected, case, scale):
    """An interval: the ends may lie near 0, so they are held against the interval's own size."""
    for side, value in zip(("lower", "upper"), expected):
        check(name, seen[side], value, 1e-9, absolute=1e-9 * scale, case=case)


def always_valid(name, answer, test, alpha, case):
    seen, difference = answer["always_valid"], test.point_estimate
    if seen is None:
        check(f"{name}: always valid is withheld only without variation", test.variance, 0.0, 0.0, absolute=1e-300, case=case)
        return
    interval = test.confidence_interval
    ends(f"{name}: always-valid interval (gbstats)", seen["interval"], interval, case, interval[1] - interval[0])
    with numpy.errstate(over="ignore"):
        p_value = test.p_value
    # gbstats divides by an e-value that has overflowed.
    tail(f"{name}: always-valid p (gbstats)", seen["p"], p_value if p_value > 1e-280 else min(seen["p"], 1e-280), case)
    mixture(seen["one_sided"]["p_above"], test, alpha, case)


def mixture(seen, test, alpha, case):
    """The one-sided p against a numerical integral of the likelihood ratio over a half-normal effect, which its closed form
    bounds: never smaller, and at most 40 % larger."""
    if random.uniform() > 0.15:
        return
    units = test.stat_a.n + test.stat_b.n
    z = test.point_estimate / math.sqrt(test.variance)
    if not 0.5 < z < 20:
        return
    level = -2 * math.log(2 * alpha)
    rho = math.sqrt((level + math.log1p(level)) / test.sequential_tuning_parameter)
    best = z / math.sqrt(units)
    width = 1 / math.sqrt(units + 1 / rho**2)
    centre = best * units * width**2

    def ratio(effect):
        return 2 * math.exp(effect * z * math.sqrt(units) - effect**2 * units / 2) * stats.norm.pdf(effect, scale=rho)

    e_value = integrate.quad(ratio, max(0, centre - 12 * width), centre + 12 * width, limit=400)[0]
    bold = seen < min(1, 1 / e_value) * (1 - 1e-6)
    check("one-sided p: never bolder than its mixture (scipy.integrate)", bold, 0, 0, case=case)
    # With little evidence the bound says nothing at all.
    if z * math.sqrt(1 - 1 / (units * rho**2 + 1)) > 1.5:
        check("one-sided p: at most 40 % above its mixture (scipy.integrate)", seen > 1.4 / e_value, 0, 0, case=case)


def proportions():
    n, m = size(1, 10_000_000), size(1, 10_000_000)
    p = random.choice([0.5, 0.3, 0.03, 1e-4, 0.999])
    x = int(random.binomial(n, p)) if random.uniform() < 0.9 else int(random.choice([0, n]))
    y = int(random.binomial(m, min(1.0, p * random.uniform(0.8, 1.25)))) if random.uniform() < 0.9 else int(random.choice([0, m]))
    alpha, planned, options = levels()

    def judge(answer, case):
        if x + y == 0 or x + y == n + m:
            check("proportions: no variation is an error", "error" in answer, True, 0, case=case)
            return
        answer = answer["ok"]
        z, p_value = proportions_ztest([y, x], [m, n])
        # statsmodels subtracts rounded rates.
        noise = 1e-15 / math.sqrt((x + y) / (n + m) * (1 - (x + y) / (n + m)) * (1 / n + 1 / m))
        check("proportions: z (statsmodels)", answer["statistic"], z, 1e-9, absolute=noise, case=case)
        if noise * abs(z) < 1e-10:
            tail("proportions: p (statsmodels)", answer["p"], p_value, case)
        interval = confint_proportions_2indep(y, m, x, n, method="newcomb", alpha=alpha)
        ends("proportions: Newcombe (statsmodels)", answer["interval"], interval, case, interval[1] - interval[0])
        # gbstats takes a rate whose variance is 0 for certain.
        if 0 < x < n or 0 < y < m:
            test = sequential(ProportionStatistic(n=n, sum=x), ProportionStatistic(n=m, sum=y), alpha, planned)
            always_valid("proportions", answer, test, alpha, case)

    return ["proportions", str(x), str(n), str(y), str(m), *options], "", judge


def means():
    n, m = size(2, 10_000_000), size(2, 10_000_000)
    scale = 10 ** random.uniform(-6, 6)
    sd1, sd2 = scale * random.uniform(0.1, 2), scale * random.uniform(0.1, 2)
    error = math.sqrt(sd1**2 / n + sd2**2 / m)
    mean1 = scale * random.uniform(-10, 10)
    mean2 = mean1 + error * random.choice([random.normal(), random.uniform(-8, 8), random.uniform(-35, 35)])
    alpha, planned, options = levels()

    def statistic(mean, sd, count):
        # Of the sums that gbstats takes, the second loses what a large mean hides: centred on control's mean instead.
        centred = mean - mean1
        return SampleMeanStatistic(n=count, sum=centred * count, sum_squares=sd**2 * (count - 1) + count * centred**2)

    def judge(answer, case):
        answer = answer["ok"]
        test = stats.ttest_ind_from_stats(mean2, sd2, m, mean1, sd1, n, equal_var=False)
        check("means: t (scipy)", answer["statistic"], test.statistic, 1e-9, absolute=1e-12, case=case)
        tail("means: p (scipy)", answer["p"], test.pvalue, case)
        b, a = statistic(mean2, sd2, m), statistic(mean1, sd1, n)
        known = fixed(a, b, alpha)
        check("means: degrees of freedom (gbstats)", answer["degrees_of_freedom"], known.dof, 1e-8, case=case)
        interval = known.confidence_interval
        ends("means: interval (gbstats)", answer["interval"], interval, case, interval[1] - interval[0])
        always_valid("means", answer, sequential(a, b, alpha, planned), alpha, case)

    return ["means", *map(repr, map(float, (mean1, sd1))), str(n), *map(repr, map(float, (mean2, sd2))), str(m), *options], "", judge


def ratio_of_arms():
    arms = int(random.integers(2, 6))
    weights = random.uniform(0.05, 1, arms)
    total = size(1, 5_000_000)
    drift = weights * random.uniform(0.97, 1.03, arms) if random.uniform() < 0.5 else weights
    counts = random.multinomial(total, drift / drift.sum())
    shares = weights / weights.sum()

    def judge(answer, case):
        answer = answer["ok"]
        known = stats.chisquare(counts, shares * counts.sum())
        check("sample ratio: chi-squared (scipy)", answer["statistic"], known.statistic, 1e-9, absolute=1e-9, case=case)
        tail("sample ratio: p (scipy)", answer["p"], known.pvalue, case)
        known = float(sequential_posteriors([counts], shares)[-1]["log_bayes_factor"])
        # ssrm-test takes differences of logarithms of factorials of all units, which lose this much.
        loss = 1e-9 + 2e-15 * total * math.log(total + 10_000)
        check("sample ratio: e-value, logarithm (ssrm-test)", answer["always_valid"]["log_e_value"], known, 1e-9, absolute=loss, case=case)

    return ["srm", *map(str, counts), "--expected", ",".join(map(repr, map(float, weights)))], "", judge


def several():
    p_values = [float(p) for p in 10 ** random.uniform(-12, 0, int(random.integers(1, 15)))]

    def judge(answer, case):
        rejected, adjusted, _, _ = multipletests(p_values, alpha=0.05, method="holm")
        for seen, expected in zip(answer["ok"]["adjusted"], adjusted, strict=True):
            check("Holm: adjusted p (statsmodels)", seen, expected, 1e-12, case=case)
        for seen, expected in zip(answer["ok"]["significant"], rejected, strict=True):
            check("Holm: rejected (statsmodels)", seen, expected, 0, case=case)

    return ["holm", *map(repr, p_values)], "", judge


def table(names, arms):
    lines = [",".join(("arm", *names))]
    for arm, values in arms:
        lines += [",".join((arm, *(repr(value) for value in row))) for row in values]
    return "\n".join(lines)


def plain(values, whole):
    return [tuple(int(x) if whole else float(x) for x in row) for row in values]


def mean_of(values):
    return SampleMeanStatistic(n=len(values), sum=float(sum(values)), sum_squares=float(sum(x * x for x in values)))


def sums(rows):
    first, second = zip(*rows)
    products = float(sum(a * b for a, b in rows))
    return mean_of(first), mean_of(second), products


def cost_per_turn():
    whole = random.uniform() < 0.5
    scale = 10 ** random.uniform(0, 5)

    def arm(lift):
        turns = 1 + random.poisson(4, int(random.integers(2, 150)))
        cost = turns * random.lognormal(0, 0.5, len(turns)) * lift * scale
        return plain(zip(numpy.ceil(cost) if whole else cost, turns), whole)

    a, b = arm(1.0), arm(random.uniform(0.7, 1.4))
    alpha, planned, options = levels()

    def judge(answer, case):
        def statistic(rows):
            cost, turns, products = sums(rows)
            return RatioStatistic(n=len(rows), m_statistic=cost, d_statistic=turns, m_d_sum_of_products=products)

        known = sequential(statistic(a), statistic(b), alpha, planned)
        if "error" in answer:
            check("ratio: an error only without variation (gbstats)", known.variance, 0, 0, absolute=1e-9 * scale**2, case=case)
            return
        answer = answer["ok"]
        check("ratio: difference (gbstats)", answer["difference"], known.point_estimate, 1e-9, absolute=1e-12 * scale, case=case)
        check("ratio: variance (gbstats)", answer["standard_error"] ** 2, known.variance, 1e-9, absolute=1e-13 * scale**2, case=case)
        z = answer["difference"] / answer["standard_error"]
        tail("ratio: p (scipy)", answer["p"], 2 * stats.norm.sf(abs(z)), case)
        always_valid("ratio", answer, known, alpha, case)

    return ["ratio", *options], table(("numerator", "denominator"), (("control", a), ("b", b))), judge


def cuped():
    whole = random.uniform() < 0.5

    def arm(lift):
        before = random.normal(100, 20, int(random.integers(4, 150)))
        during = before * random.uniform(0.2, 1.2) + random.normal(lift, 15, len(before))
        return plain(zip(numpy.round(during) if whole else during, numpy.round(before) if whole else before), whole)

    a, b = arm(0.0), arm(random.uniform(-20, 20))
    alpha, planned, options = levels()

    def judge(answer, case):
        def statistic(rows, theta):
            during, before, products = sums(rows)
            return RegressionAdjustedStatistic(
                n=len(rows), post_statistic=during, pre_statistic=before, post_pre_sum_of_products=products, theta=theta
            )

        answer = answer["ok"]
        theta = compute_theta(statistic(a, 0), statistic(b, 0))
        check("CUPED: theta (gbstats)", answer["theta"], theta, 1e-9, absolute=1e-11, case=case)
        known = fixed(statistic(a, theta), statistic(b, theta), alpha)
        interval = known.confidence_interval
        check("CUPED: degrees of freedom (gbstats)", answer["degrees_of_freedom"], known.dof, 1e-8, case=case)
        ends("CUPED: interval (gbstats)", answer["interval"], interval, case, interval[1] - interval[0])
        # gbstats has 1 - cdf, which loses figures of a small p.
        check("CUPED: p (gbstats)", answer["p"], known.p_value, 1e-9, absolute=1e-13, case=case)

    return ["cuped", *options], table(("during", "before"), (("control", a), ("b", b))), judge


def quantile():
    q = float(random.choice([0.5, 0.9, 0.95]))

    def arm(lift):
        rows = []
        for session in range(int(random.integers(30, 120))):
            base = random.lognormal(6, 0.4) * lift
            rows += [(session, float(base * random.lognormal(0, 0.3))) for _ in range(1 + random.poisson(3))]
        return rows

    a, b = arm(1.0), arm(random.uniform(0.8, 1.3))
    alpha, _, options = levels()

    def judge(answer, case):
        for name, rows in (("control", a), ("treatment", b)):
            seen = answer["ok"][name]
            values = numpy.array([value for _, value in rows])
            count = len(values)
            expected = numpy.quantile(values, q, method="inverted_cdf")
            check("quantile: value (numpy)", seen["value"], expected, 0, case=case)
            below = (values <= expected).astype(float)
            groups = numpy.array([session for session, _ in rows])
            fit = OLS(below, numpy.ones(count)).fit(cov_type="cluster", cov_kwds={"groups": groups})
            variance = seen["design_effect"] * q * (1 - q) / count
            check("quantile: clustered variance (statsmodels OLS)", variance, fit.cov_params()[0, 0], 1e-9, case=case)
            main, turns = numpy.bincount(groups, below), numpy.bincount(groups)
            known = QuantileClusteredStatistic(
                n=count, n_star=count, nu=q, quantile_hat=expected, quantile_lower=0, quantile_upper=0,
                main_sum=float(main.sum()), main_sum_squares=float((main**2).sum()),
                denominator_sum=float(turns.sum()), denominator_sum_squares=float((turns**2).sum()),
                main_denominator_sum_product=float((main * turns).sum()), n_clusters=len(turns),
            )
            check("quantile: clustered variance (gbstats)", variance, known.get_cluster_variance, 1e-9, case=case)
            ordered = numpy.sort(values)
            half = stats.norm.isf(alpha / 2) * math.sqrt(max(variance, q * (1 - q) / count)) * count
            low, high = math.floor(count * q - half), math.ceil(count * q + half) + 1
            for side, rank in (("lower", low), ("upper", high)):
                missing = not 1 <= rank <= count
                # JSON has null for an infinite end.
                same = seen["interval"][side] == (None if missing else ordered[rank - 1])
                check("quantile: order statistics (numpy)", same, True, 0, case=case)

    rows = "\n".join(f"{name},{session},{value!r}" for name, rows in (("control", a), ("b", b)) for session, value in rows)
    return ["quantile", "--q", repr(q), *options], rows, judge


def sketch():
    values = [int(x) for x in random.lognormal(random.uniform(0, 12), random.uniform(0.1, 2), size(1, 400))]
    quantiles = [0.01, 0.5, 0.95, 0.99]

    def judge(answer, case):
        for found in answer["ok"]["quantiles"]:
            exact = int(numpy.quantile(values, found["q"], method="inverted_cdf"))
            check("sketch: quantile within 1/128 (numpy)", found["value"], exact, 1 / 128, case=case)
            if exact < 128:
                check("sketch: small quantile exactly (numpy)", found["value"], exact, 0, case=case)

    return ["sketch", "--q", ",".join(map(str, quantiles))], "\n".join(map(str, values)), judge


def main():
    plan = [
        (proportions, 2500), (means, 2500), (ratio_of_arms, 1500), (several, 500),
        (cost_per_turn, 500), (cuped, 500), (quantile, 250), (sketch, 250),
    ]
    cases = [make() for make, count in plan for _ in range(count)]
    lines = "\n".join(json.dumps({"arguments": arguments, "input": text}) for arguments, text, _ in cases)
    done = subprocess.run([sys.argv[1], "batch"], input=lines, capture_output=True, text=True, check=True)
    answers = done.stdout.splitlines()
    assert len(answers) == len(cases), f"{len(answers)} answers to {len(cases)} cases"
    for (arguments, _, judge), answer in zip(cases, answers):
        answer = json.loads(answer)
        try:
            judge(answer, " ".join(arguments)[:200])
        except KeyError:
            check(f"{arguments[0]}: answers", 0, 1, 0, case=f"{' '.join(arguments)[:200]}: {answer}")
    for entry in checks.values():
        print(json.dumps(entry))


main()
