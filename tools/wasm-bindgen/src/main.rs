//! `wasm-bindgen-tool INPUT.wasm OUT_DIR`: what worker-build asks of wasm-bindgen, as one small program.

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let input = arguments.next().context("usage: INPUT.wasm OUT_DIR")?;
    let out_dir = arguments.next().context("usage: INPUT.wasm OUT_DIR")?;
    let mut bindgen = Bindgen::new();
    bindgen.module(true)?;
    bindgen
        .input_path(input)
        .out_name("index")
        .typescript(false)
        .demangle(false)
        // Names are a quarter of the gzip size; without wasm-opt nothing else drops them.
        .remove_name_section(true)
        .remove_producers_section(true)
        .reset_state_function(true)
        .force_enable_abort_handler(true);
    bindgen.generate(out_dir)
}
