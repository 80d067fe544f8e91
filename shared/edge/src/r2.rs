//! Objects in R2: gzip by the runtime's own streams, whole prefixes, files in parts.

use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use worker::{Bucket, Error, MultipartUpload, Result, UploadedPart};

/// Binding of the bucket.
pub const BUCKET: &str = "BUCKET";
/// R2 wants parts of one size, and of 5 MiB at least.
const PART_BYTES: usize = 5 * 1024 * 1024;

fn global(name: &str) -> Result<Function> {
    Reflect::get(&js_sys::global(), &name.into())?
        .dyn_into()
        .map_err(|_| Error::RustError(format!("the runtime has no {name}")))
}

/// `new Response(bytes).body.pipeThrough(new <name>("gzip"))`, read to its end. The runtime's zlib is native and costs the
/// Worker's module nothing.
async fn through(name: &str, bytes: &[u8]) -> Result<Vec<u8>> {
    let response = global("Response")?;
    let stream = Reflect::construct(&global(name)?, &Array::of1(&"gzip".into()))?;
    let body = Reflect::construct(&response, &Array::of1(&Uint8Array::from(bytes)))?;
    let body = Reflect::get(&body, &"body".into())?;
    let pipe: Function = Reflect::get(&body, &"pipeThrough".into())?.unchecked_into();
    let piped = pipe.call1(&body, &stream)?;
    let whole = Reflect::construct(&response, &Array::of1(&piped))?;
    let read: Function = Reflect::get(&whole, &"arrayBuffer".into())?.unchecked_into();
    let promise: Promise = read.call0(&whole)?.unchecked_into();
    let buffer = JsFuture::from(promise).await?;
    Ok(Uint8Array::new(&buffer).to_vec())
}

/// Compresses.
///
/// # Errors
/// The runtime's.
pub async fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    through("CompressionStream", bytes).await
}

/// The opposite of [`gzip`].
///
/// # Errors
/// Where the bytes are not gzip.
pub async fn gunzip(bytes: &[u8]) -> Result<Vec<u8>> {
    through("DecompressionStream", bytes).await
}

/// All keys below a prefix, in order.
///
/// # Errors
/// The bucket's.
pub async fn keys(bucket: &Bucket, prefix: &str) -> Result<Vec<String>> {
    let mut keys = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let mut list = bucket.list().prefix(prefix);
        if let Some(cursor) = cursor {
            list = list.cursor(cursor);
        }
        let page = list.execute().await?;
        keys.extend(page.objects().iter().map(worker::Object::key));
        cursor = page.cursor().filter(|_| page.truncated());
        if cursor.is_none() {
            return Ok(keys);
        }
    }
}

/// An object's bytes; none where there is none.
///
/// # Errors
/// The bucket's.
pub async fn read(bucket: &Bucket, key: &str) -> Result<Option<Vec<u8>>> {
    match bucket.get(key).execute().await? {
        Some(object) => match object.body() {
            Some(body) => body.bytes().await.map(Some),
            None => Ok(None),
        },
        None => Ok(None),
    }
}

/// An object that is written piece by piece and appears whole, or not at all. At most one part is held.
pub struct Upload<'a> {
    bucket: &'a Bucket,
    key: String,
    held: Vec<u8>,
    parts: Option<(MultipartUpload, Vec<UploadedPart>)>,
}

impl<'a> Upload<'a> {
    /// Begins; nothing is sent yet.
    #[must_use]
    pub fn new(bucket: &'a Bucket, key: String) -> Self {
        Self {
            bucket,
            key,
            held: Vec::new(),
            parts: None,
        }
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// The bucket's; [`Self::abort`] then.
    pub async fn write(&mut self, bytes: Vec<u8>) -> Result<()> {
        self.held.extend(bytes);
        while self.held.len() >= PART_BYTES {
            let rest = self.held.split_off(PART_BYTES);
            let part = std::mem::replace(&mut self.held, rest);
            self.send(part).await?;
        }
        Ok(())
    }

    async fn send(&mut self, part: Vec<u8>) -> Result<()> {
        let (upload, parts) = match &mut self.parts {
            Some(begun) => begun,
            none => {
                let upload = self.bucket.create_multipart_upload(&self.key).execute().await?;
                none.insert((upload, Vec::new()))
            }
        };
        let number = u16::try_from(parts.len() + 1).map_err(|_| Error::RustError("too many parts".into()))?;
        parts.push(upload.upload_part(number, part).await?);
        Ok(())
    }

    /// Sends the rest: now the object is there.
    ///
    /// # Errors
    /// The bucket's.
    pub async fn finish(mut self) -> Result<()> {
        if self.parts.is_none() {
            self.bucket.put(&self.key, self.held).execute().await?;
            return Ok(());
        }
        let rest = std::mem::take(&mut self.held);
        if !rest.is_empty() {
            self.send(rest).await?;
        }
        if let Some((upload, parts)) = self.parts {
            upload.complete(parts).await?;
        }
        Ok(())
    }

    /// Forgets what was sent.
    pub async fn abort(self) {
        if let Some((upload, _)) = self.parts {
            // R2 forgets unfinished uploads after a week by itself.
            let _ = upload.abort().await;
        }
    }
}
