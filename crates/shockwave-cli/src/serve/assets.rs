//! The dashboard's files, which are part of the program, and how a browser is told to treat them.

use std::hash::{DefaultHasher, Hash, Hasher};

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, HeaderValue,
    IF_NONE_MATCH, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, Response, StatusCode};

use super::body::Body;

/// Nothing from elsewhere, nothing inline, nothing framed; the page loads what is beside it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What every answer says, whatever is in it: a browser is to take it for what it claims to be, to
/// run nothing in it, and to show it nowhere else. [`asset`] loosens the policy for the dashboard.
const GUARDS: [(HeaderName, &str); 6] = [
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Each file of `assets/`, by its path on the server.
macro_rules! files {
    ($($path:literal $kind:ident $file:literal)*) => {
        &[$(Asset { path: $path, kind: $kind, text: include_str!(concat!("../../assets/", $file)) }),*]
    };
}

const ASSETS: &[Asset] = files! {
    "/" HTML "index.html"
    "/assets/dashboard.css" CSS "dashboard.css"
    "/assets/main.js" JS "main.js"
    "/assets/feed.js" JS "feed.js"
    "/assets/rates.js" JS "rates.js"
    "/assets/format.js" JS "format.js"
    "/assets/charts.js" JS "charts.js"
    "/assets/table.js" JS "table.js"
    "/assets/icon.svg" SVG "icon.svg"
    "/assets/uplot.js" JS "vendor/uPlot.iife.min.js"
    "/assets/uplot.css" CSS "vendor/uPlot.min.css"
};

#[derive(Debug)]
struct Asset {
    path: &'static str,
    kind: &'static str,
    text: &'static str,
}

/// Whether there is a file at this path.
pub(crate) fn is_asset(path: &str) -> bool {
    ASSETS.iter().any(|asset| asset.path == path)
}

/// The file at a path, or word that the browser has it already.
pub(crate) fn asset(path: &str, request: &HeaderMap) -> Option<Response<Body>> {
    let asset = ASSETS.iter().find(|asset| asset.path == path)?;
    let tag = tag(asset.text);
    let is_known = request.get_all(IF_NONE_MATCH).iter().any(|known| names(known, &tag));
    let body = if is_known { Body::default() } else { Body::whole(asset.text) };
    let mut response = Response::new(body);
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(ETAG, tag);
    Some(response)
}

/// Whether a list of tags names this one, by the weak comparison (RFC 9110, section 13.1.2).
fn names(list: &HeaderValue, tag: &HeaderValue) -> bool {
    let strong = |it: &[u8]| it.strip_prefix(b"W/").unwrap_or(it) == tag.as_bytes();
    let mut tags = list.as_bytes().split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
    tags.any(|it| it == b"*" || strong(it))
}

/// Adds what every answer says, where it does not say something else already.
pub(crate) fn guard(headers: &mut HeaderMap) {
    for (name, value) in GUARDS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// Names a text by what is in it.
fn tag(text: &str) -> HeaderValue {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    HeaderValue::try_from(format!("\"{:016x}\"", hasher.finish()))
        .unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_loads_from_elsewhere_or_is_inline() {
        for asset in ASSETS {
            let is_vendored = asset.path.contains("uplot");
            for outside in ["http:", "https:", "//cdn", "@import", "url("] {
                let text = asset.text.replace("http://www.w3.org/2000/svg", "");
                assert!(is_vendored || !text.contains(outside), "{outside} in {}", asset.path);
            }
            if asset.kind == HTML {
                for inline in [" style=", " onclick=", "<style", "javascript:"] {
                    assert!(!asset.text.contains(inline), "{inline} in {}", asset.path);
                }
                assert!(!asset.text.replace("></script>", "").contains("</script>"));
            }
        }
    }

    #[test]
    fn everything_that_a_file_names_is_there() {
        for asset in ASSETS {
            for quote in ["\"/assets/", "'/assets/"] {
                for rest in asset.text.split(quote).skip(1) {
                    let name = rest.split(['"', '\'']).next().unwrap();
                    assert!(is_asset(&format!("/assets/{name}")), "{name} in {}", asset.path);
                }
            }
            for rest in asset.text.split("from \"./").skip(1) {
                let name = rest.split('"').next().unwrap();
                assert!(is_asset(&format!("/assets/{name}")), "{name} in {}", asset.path);
            }
        }
    }

    #[test]
    fn a_browser_that_has_a_file_is_told_so() {
        let first = asset("/", &HeaderMap::new()).unwrap();
        assert_eq!(first.status(), StatusCode::OK);
        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, first.headers()[ETAG].clone());
        assert_eq!(asset("/", &headers).unwrap().status(), StatusCode::NOT_MODIFIED);
        assert_eq!(asset("/assets/main.js", &headers).unwrap().status(), StatusCode::OK);
        let tag = first.headers()[ETAG].to_str().unwrap();
        for known in ["*", &format!("W/{tag}"), &format!("\"other\", {tag}")] {
            let headers = [(IF_NONE_MATCH, HeaderValue::from_str(known).unwrap())];
            let answer = asset("/", &headers.into_iter().collect()).unwrap();
            assert_eq!(answer.status(), StatusCode::NOT_MODIFIED, "{known}");
        }
        assert!(asset("/assets/", &headers).is_none());
    }
}
