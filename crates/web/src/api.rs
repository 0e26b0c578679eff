//! The interface for programs (程序接口): JSON in, JSON out, the same functions as the pages.
//!
//! Answers have one top-level key naming the thing; problems are `{"problem": {code, sentence, field, request}}`.

pub mod evaluate;
