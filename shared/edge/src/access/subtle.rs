//! RS256 by the runtime's WebCrypto: in constant time, and without an RSA library in every Worker.

use super::jwks::Jwk;
use crate::error::ApiError;
use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use std::cell::RefCell;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

thread_local! {
    /// The last key that was imported: importing costs more than verifying.
    static IMPORTED: RefCell<Option<(Jwk, JsValue)>> = const { RefCell::new(None) };
}

/// Whether the key made the signature over the data.
pub(super) async fn verify(key: &Jwk, signature: &[u8], data: &[u8]) -> Result<bool, ApiError> {
    let subtle = subtle().map_err(|_| ApiError::internal("the runtime has no WebCrypto"))?;
    let known = IMPORTED.with_borrow(|held| {
        held.as_ref()
            .filter(|(jwk, _)| jwk == key)
            .map(|(_, made)| made.clone())
    });
    let imported = match known {
        Some(imported) => imported,
        None => {
            // A key that cannot be imported verifies nothing.
            let Ok(imported) = import(&subtle, key).await else {
                return Ok(false);
            };
            IMPORTED.set(Some((key.clone(), imported.clone())));
            imported
        }
    };
    let arguments = Array::of4(
        &algorithm().map_err(|_| ApiError::internal("WebCrypto"))?,
        &imported,
        &Uint8Array::from(signature),
        &Uint8Array::from(data),
    );
    let verdict = call(&subtle, "verify", &arguments).await;
    Ok(verdict.is_ok_and(|verdict| verdict.is_truthy()))
}

async fn import(subtle: &JsValue, key: &Jwk) -> Result<JsValue, JsValue> {
    let jwk = Object::new();
    for (name, value) in [("kty", "RSA"), ("alg", "RS256"), ("n", &key.n), ("e", &key.e)] {
        Reflect::set(&jwk, &name.into(), &value.into())?;
    }
    let usages = Array::of1(&"verify".into());
    let arguments = Array::of5(&"jwk".into(), &jwk, &algorithm()?, &JsValue::FALSE, &usages);
    call(subtle, "importKey", &arguments).await
}

fn subtle() -> Result<JsValue, JsValue> {
    let crypto = Reflect::get(&js_sys::global(), &"crypto".into())?;
    Reflect::get(&crypto, &"subtle".into())
}

fn algorithm() -> Result<JsValue, JsValue> {
    let algorithm = Object::new();
    Reflect::set(&algorithm, &"name".into(), &"RSASSA-PKCS1-v1_5".into())?;
    Reflect::set(&algorithm, &"hash".into(), &"SHA-256".into())?;
    Ok(algorithm.into())
}

async fn call(subtle: &JsValue, method: &str, arguments: &Array) -> Result<JsValue, JsValue> {
    let method: Function = Reflect::get(subtle, &method.into())?.dyn_into()?;
    let promise: Promise = method.apply(subtle, arguments)?.dyn_into()?;
    JsFuture::from(promise).await
}
