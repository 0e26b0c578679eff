//! A folder of parts (数据文件夹): on disk or, with the feature `s3`, in an object store, read and written alike.
//!
//! Guarantees: a file appears whole or not at all, under its name, whoever reads meanwhile. Deliberately absent: locks;
//! one run writes a folder at a time, and the manifest, written last, says what counts.

use anyhow::{Context, bail};
use bytes::Bytes;
use futures_util::StreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{Error as StoreError, ObjectStore, ObjectStoreExt, PutPayload};
use std::path::Path;
use std::sync::Arc;

/// A folder of parts (数据文件夹). Cheap to clone.
#[derive(Debug, Clone)]
pub struct Folder {
    store: Arc<dyn ObjectStore>,
    prefix: Key,
    shown: String,
}

impl Folder {
    /// Opens a folder by its name (打开文件夹): a path, or `s3://bucket/prefix` with the usual `AWS_*` variables. A folder
    /// on disk is made when missing.
    ///
    /// # Errors
    /// When the folder cannot be made, or the address is none this program was built for.
    pub fn open(name: &str) -> anyhow::Result<Self> {
        if let Some(rest) = name.strip_prefix("s3://") {
            return Self::open_s3(name, rest);
        }
        if name.contains("://") {
            bail!(
                "不认识的存储地址 {name}；请写文件夹路径或 s3://存储桶/前缀 (unknown kind of folder)"
            );
        }
        Self::on_disk(Path::new(name))
    }

    /// A folder on disk (本地文件夹), made when missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn on_disk(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| {
            format!("无法创建文件夹 {} (creating the folder)", folder.display())
        })?;
        let store = LocalFileSystem::new_with_prefix(folder)
            .with_context(|| format!("无法打开文件夹 {}", folder.display()))?;
        Ok(Self {
            store: Arc::new(store),
            prefix: Key::default(),
            shown: folder.display().to_string(),
        })
    }

    #[cfg(feature = "s3")]
    fn open_s3(name: &str, rest: &str) -> anyhow::Result<Self> {
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let store = object_store::aws::AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .build()
            .with_context(|| format!("无法打开对象存储 {name}；请核对 AWS_* 环境变量"))?;
        Ok(Self {
            store: Arc::new(store),
            prefix: Key::parse(prefix.trim_end_matches('/'))?,
            shown: name.to_owned(),
        })
    }

    #[cfg(not(feature = "s3"))]
    fn open_s3(name: &str, _rest: &str) -> anyhow::Result<Self> {
        bail!(
            "本程序没有编入对象存储，打不开 {name}；请用带 s3 功能的程序，或写文件夹路径 (built without the feature s3)"
        )
    }

    /// Its name for other machines (供其他机器使用的名称): the whole path, or the address of the store.
    ///
    /// # Errors
    /// When the folder is gone.
    #[cfg(feature = "cluster")]
    pub(crate) fn for_others(&self) -> anyhow::Result<String> {
        if self.shown.contains("://") {
            return Ok(self.shown.clone());
        }
        let whole = std::fs::canonicalize(&self.shown).with_context(|| self.at(""))?;
        Ok(whole.display().to_string())
    }

    /// Opens a folder that another machine named (打开已有的文件夹); it is not made when missing.
    ///
    /// # Errors
    /// When this machine has no such folder.
    #[cfg(feature = "cluster")]
    pub(crate) fn open_there(name: &str) -> anyhow::Result<Self> {
        if !name.contains("://") && !Path::new(name).is_dir() {
            bail!(
                "本机没有文件夹 {name}；请让各机以同一路径看到快照，或使用对象存储 (no such folder here)"
            );
        }
        Self::open(name)
    }

    fn key(&self, file: &str) -> Key {
        self.prefix.clone().join(file)
    }

    /// How it is called, for messages.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// A whole file (读取); `None` when there is none of that name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn read(&self, file: &str) -> anyhow::Result<Option<Bytes>> {
        let found = match self.store.get(&self.key(file)).await {
            Ok(found) => found,
            Err(StoreError::NotFound { .. }) => return Ok(None),
            Err(fault) => return Err(fault).with_context(|| self.at(file)),
        };
        Ok(Some(found.bytes().await.with_context(|| self.at(file))?))
    }

    /// A whole file that must be there (读取).
    ///
    /// # Errors
    /// When it is missing or the store fails.
    pub async fn need(&self, file: &str) -> anyhow::Result<Bytes> {
        self.read(file).await?.with_context(|| {
            format!(
                "{} 里缺少文件 {file}；请重新生成快照 (a part is missing)",
                self.shown
            )
        })
    }

    /// Writes a file, whole or not at all (写入).
    ///
    /// # Errors
    /// When the store fails.
    pub async fn write(&self, file: &str, bytes: impl Into<Bytes>) -> anyhow::Result<()> {
        let payload = PutPayload::from_bytes(bytes.into());
        self.store
            .put(&self.key(file), payload)
            .await
            .with_context(|| self.at(file))?;
        Ok(())
    }

    /// Removes a file if it is there (删除).
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove(&self, file: &str) -> anyhow::Result<()> {
        match self.store.delete(&self.key(file)).await {
            Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(fault) => Err(fault).with_context(|| self.at(file)),
        }
    }

    /// The files in it, by name (列出).
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list(&self) -> anyhow::Result<Vec<String>> {
        let mut files = Vec::new();
        let mut found = self.store.list(Some(&self.prefix));
        while let Some(one) = found.next().await {
            let one = one.with_context(|| self.at(""))?;
            if let Some(name) = one.location.filename() {
                files.push(name.to_owned());
            }
        }
        files.sort();
        Ok(files)
    }

    fn at(&self, file: &str) -> String {
        format!("读写 {}/{file} 失败 (the folder of parts)", self.shown)
    }
}
