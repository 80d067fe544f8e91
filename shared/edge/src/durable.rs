//! What workers-rs does not wrap of a Durable Object's storage: synchronous transactions and `sync`.

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::{Error, Result, SqlStorageValue, State};

/// A statement and its bindings.
pub type Statement = (&'static str, Vec<SqlStorageValue>);

fn raw_storage(state: &State) -> Result<JsValue> {
    Reflect::get(state.as_raw(), &JsValue::from_str("storage")).map_err(Error::from)
}

fn method(target: &JsValue, name: &str) -> Result<Function> {
    Reflect::get(target, &JsValue::from_str(name))
        .map_err(Error::from)?
        .dyn_into()
        .map_err(|_| Error::RustError(format!("storage has no {name}")))
}

/// Runs the statements all or nothing: where one throws, none has an effect.
///
/// # Errors
/// The first statement's error.
pub fn transaction(state: &State, statements: Vec<Statement>) -> Result<()> {
    let storage = raw_storage(state)?;
    let sql = state.storage().sql();
    let mut work = Some(statements);
    let body =
        Closure::<dyn FnMut() -> std::result::Result<JsValue, JsValue>>::wrap_assert_unwind_safe(Box::new(move || {
            for (query, bindings) in work.take().unwrap_or_default() {
                sql.exec(query, bindings)
                    .map_err(|error| JsValue::from(error.to_string()))?;
            }
            Ok(JsValue::UNDEFINED)
        }));
    method(&storage, "transactionSync")?
        .call1(&storage, body.as_ref().unchecked_ref())
        .map(|_| ())
        .map_err(Error::from)
}

/// Waits until everything written so far is on disk.
///
/// # Errors
/// The storage's, where a write was lost.
pub async fn sync(state: &State) -> Result<()> {
    let storage = raw_storage(state)?;
    let promise: Promise = method(&storage, "sync")?
        .call0(&storage)
        .map_err(Error::from)?
        .unchecked_into();
    JsFuture::from(promise).await.map(|_| ()).map_err(Error::from)
}
