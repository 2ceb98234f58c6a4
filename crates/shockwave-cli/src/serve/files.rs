//! `/static/`: the files of a directory. Which file it is, ranges and dates are tower-http's.

use std::path::{Path, PathBuf};

use http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use http::uri::PathAndQuery;
use http::{Request, Response, StatusCode, Uri};
use percent_encoding::percent_decode_str;
use tower_http::services::ServeDir;
use tracing::warn;

use super::body::Body;

/// What a page from here may do: anything among its own, and nothing beyond.
const POLICY: &str = "default-src 'self' 'unsafe-inline' data:; form-action 'none'; \
                      frame-ancestors 'none'";

/// The files of a directory, but those whose name or folder begins with a dot. Symbolic links are
/// followed: who may make one there may serve anything.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    root: PathBuf,
    directory: ServeDir,
}

impl Files {
    pub(crate) fn new(root: &Path) -> Self {
        let directory = ServeDir::new(root).append_index_html_on_directories(false);
        Self { root: root.into(), directory }
    }

    /// The file that a request for `/static/…` asks for.
    pub(crate) async fn answer(&self, request: Request<()>) -> Response<Body> {
        let Some(request) = below(request) else { return empty(StatusCode::NOT_FOUND) };
        if self.may_never_open(request.uri().path()).await {
            return empty(StatusCode::NOT_FOUND);
        }
        match self.directory.clone().try_call(request).await {
            Ok(mut response) => {
                let policy = HeaderValue::from_static(POLICY);
                response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
                response.map(Body::stream)
            }
            Err(error) => {
                warn!(%error, "a file cannot be read");
                empty(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

impl Files {
    /// Whether there is something at the path that is neither a file nor a directory. To open a
    /// pipe may take for ever, and would keep a thread.
    async fn may_never_open(&self, path: &str) -> bool {
        let path = percent_decode_str(path.trim_start_matches('/'));
        let Ok(path) = path.decode_utf8() else { return false };
        let found = tokio::fs::metadata(self.root.join(path.trim_start_matches('/'))).await;
        found.is_ok_and(|found| !found.is_file() && !found.is_dir())
    }
}

/// The request as one for a path below the directory; `None` if that is hidden.
fn below(mut request: Request<()>) -> Option<Request<()>> {
    let path = request.uri().path().strip_prefix("/static")?;
    // Dots and slashes may be spelled in other ways, once: what decodes to an escape is a name.
    let plain = path.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/");
    if plain.split('/').any(|name| name.starts_with('.')) {
        return None;
    }
    let path = PathAndQuery::try_from(path).ok()?;
    *request.uri_mut() = Uri::from(path);
    Some(request)
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::default());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use std::fs;

    use http::header::{CONTENT_TYPE, RANGE};
    use http_body_util::BodyExt;

    use super::*;

    async fn read(files: &Files, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).header(RANGE, "bytes=0-3").body(()).unwrap();
        let response = files.answer(request).await;
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8_lossy(&body).into())
    }

    #[tokio::test]
    async fn only_what_lies_in_the_directory_and_is_not_hidden_is_served() {
        let place = std::env::temp_dir().join(format!("shockwave-files-{}", std::process::id()));
        let root = place.join("root");
        fs::create_dir_all(root.join("sub/.git")).unwrap();
        for (path, text) in [
            ("secret", "secret"),
            ("root/page.html", "<p>page</p>"),
            ("root/sub/a b.txt", "spaced"),
            ("root/.env", "secret"),
            ("root/sub/.git/config", "secret"),
        ] {
            fs::write(place.join(path), text).unwrap();
        }
        let files = Files::new(&root);
        let part = StatusCode::PARTIAL_CONTENT;
        assert_eq!(read(&files, "/static/page.html").await, (part, "<p>p".into()));
        assert_eq!(read(&files, "/static/sub/a%20b.txt?x=y").await, (part, "spac".into()));
        for path in [
            "/static/",
            "/static/sub",
            "/static/sub/",
            "/static/none",
            "/static/../secret",
            "/static/%2e%2e/secret",
            "/static/..%2fsecret",
            "/static/..%5csecret",
            "/static/sub/../../secret",
            "/static//secret",
            "/static/.env",
            "/static/%2Eenv",
            "/static/sub/.git/config",
            "/static/sub%2f.git%2fconfig",
            "/static/page.html%00",
            "/static/%ff",
        ] {
            let (status, body) = read(&files, path).await;
            assert!(!status.is_success() && !body.contains("secr"), "{path}: {status} {body}");
        }
        let request = Request::get("/static/page.html").body(()).unwrap();
        let response = files.answer(request).await;
        assert_eq!(response.headers()[CONTENT_TYPE], "text/html");
        fs::remove_dir_all(&place).unwrap();
    }
}
