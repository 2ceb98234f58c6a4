//! `/static/`: the files of a directory. Which file it is, ranges and dates are tower-http's.

use std::path::{Path, PathBuf};

use http::header::{CONTENT_SECURITY_POLICY, HeaderValue, RANGE};
use http::uri::PathAndQuery;
use http::{Method, Request, Response, StatusCode, Uri};
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
        let Some(mut request) = below(request) else { return empty(StatusCode::NOT_FOUND) };
        if !self.is_file(request.uri().path()).await {
            return empty(StatusCode::NOT_FOUND);
        }
        ignore_other_ranges(&mut request);
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
    /// Whether there is a file at the path. Anything else is not to be opened: with a pipe that may
    /// take for ever, and would keep a thread. Nor is it anyone's fault that there is none,
    /// whatever the system says to the path.
    async fn is_file(&self, path: &str) -> bool {
        let path = percent_decode_str(path.trim_start_matches('/'));
        let Ok(path) = path.decode_utf8() else { return false };
        let found = tokio::fs::metadata(self.root.join(path.trim_start_matches('/'))).await;
        found.is_ok_and(|found| found.is_file())
    }
}

/// Leaves a request its `Range` only if that is one range of bytes of a GET. Others are to be
/// ignored, or may be (RFC 9110, section 14.2), where `ServeDir` would refuse them.
fn ignore_other_ranges(request: &mut Request<()>) {
    let is_ours = |range: &HeaderValue| {
        let range = range.as_bytes().strip_prefix(b"bytes=");
        range.is_some_and(|range| !range.contains(&b','))
    };
    if request.method() != Method::GET || !request.headers().get_all(RANGE).iter().all(is_ours) {
        request.headers_mut().remove(RANGE);
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

    use http::header::CONTENT_TYPE;
    use http_body_util::BodyExt;

    use super::*;

    /// A directory that nobody else uses.
    fn place(name: &str) -> PathBuf {
        let place = std::env::temp_dir().join(format!("shockwave-{name}-{}", std::process::id()));
        fs::create_dir_all(&place).unwrap();
        place
    }

    async fn read(files: &Files, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).header(RANGE, "bytes=0-3").body(()).unwrap();
        let response = files.answer(request).await;
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8_lossy(&body).into())
    }

    #[tokio::test]
    async fn only_what_lies_in_the_directory_and_is_not_hidden_is_served() {
        let place = place("files");
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

    #[tokio::test]
    async fn a_path_that_leads_nowhere_is_not_found_whatever_the_reason() {
        let root = place("nowhere");
        fs::write(root.join("file.txt"), "text").unwrap();
        std::os::unix::fs::symlink("loop", root.join("loop")).unwrap();
        let files = Files::new(&root);
        let name = "a".repeat(256);
        let deep = "a/".repeat(3000);
        for path in ["loop", "file.txt/", "file.txt/more", &name, &deep] {
            let (status, _) = read(&files, &format!("/static/{path}")).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        }
        fs::remove_dir_all(&root).unwrap();
    }

    #[tokio::test]
    async fn ranges_that_are_not_one_of_bytes_of_a_get_are_ignored() {
        let root = place("ranges");
        fs::write(root.join("file.txt"), "0123456789").unwrap();
        let files = Files::new(&root);
        let (whole, part) = (StatusCode::OK, StatusCode::PARTIAL_CONTENT);
        for (method, range, expected) in [
            (Method::GET, "bytes=1-2", part),
            (Method::GET, "bytes=-3", part),
            (Method::GET, "bytes=10-", StatusCode::RANGE_NOT_SATISFIABLE),
            (Method::GET, "lines=1-2", whole),
            (Method::GET, "bytes=0-1,3-4", whole),
            (Method::HEAD, "bytes=1-2", whole),
        ] {
            let request = Request::builder().method(method.clone()).uri("/static/file.txt");
            let request = request.header(RANGE, range).body(()).unwrap();
            assert_eq!(files.answer(request).await.status(), expected, "{method} {range}");
        }
        fs::remove_dir_all(&root).unwrap();
    }
}
