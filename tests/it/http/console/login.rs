//! Who may look, and who may do what.

use super::super::site::Site;
use super::demo::Demo;
use crate::server::Tab;
use mape::http::{Access, Role};
use reqwest::header;

const READER: &str = "a token only for reading";
const ADMIN: &str = "a token for everything, really";

async fn log_in(tab: &Tab, token: &str) {
    tab.until("there is a form", "!!document.getElementById('token')").await;
    tab.click("#token").await;
    tab.write(token).await;
    tab.press("Enter").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_opens_the_pages_and_what_it_does_not_allow_is_disabled_and_says_why() {
    let demo = Demo::start().await;
    let [finished, ..] = demo.runs().await;
    let access = Access::new().token("reader", READER, Role::Read).token("boss", ADMIN, Role::Admin);
    let site = Site::with(demo.service().access(access)).await;
    let tab = Tab::open(&site.url("/console/workflows")).await;
    log_in(&tab, "not a token at all").await;
    tab.until("the token is refused", "document.body.textContent.includes('not known here')").await;
    log_in(&tab, READER).await;
    tab.until("the overview is shown", "location.pathname === '/' && !!document.getElementById('findings')")
        .await;
    assert_eq!(
        tab.eval("document.cookie.includes('mape_token')").await,
        false,
        "a script can read the token"
    );
    tab.until("it is live", "document.getElementById('pulse').dataset.state === 'live'").await;
    for path in ["/console/loops/car_panda/error".to_owned(), format!("/console/workflows/{finished}")] {
        tab.go(&site.url(&path)).await;
        let open = "[...document.querySelectorAll('main button[data-action], main form[data-action] button')].filter((one) => !one.disabled).length";
        assert_eq!(tab.eval(open).await, 0, "{path}");
        let why = tab.eval("document.querySelector('button[data-action]').title").await;
        assert!(why.as_str().unwrap().contains("your token has the role read"), "{why}");
    }
    tab.click(".who button").await;
    log_in(&tab, ADMIN).await;
    tab.until("the overview is shown", "!!document.getElementById('findings')").await;
    tab.go(&site.url(&format!("/console/workflows/{finished}"))).await;
    assert_eq!(tab.eval("document.querySelector('[data-action^=DELETE]').disabled").await, false);
    assert!(tab.requests().iter().all(|url| !url.contains("token%20") && !url.contains("a+token")));
}

#[tokio::test]
async fn the_cookie_is_for_this_service_alone_and_secure_where_pages_are() {
    let demo = Demo::start().await;
    let site = Site::with(demo.service().access(Access::new().token("boss", ADMIN, Role::Admin))).await;
    let enter = |origin: String| {
        let form = [
            (header::CONTENT_TYPE, "application/x-www-form-urlencoded".to_owned()),
            (header::ORIGIN, origin),
        ];
        let mut request =
            site.client.post(site.url("/console/login")).body("token=a+token+for+everything%2C+really");
        for (name, value) in form {
            request = request.header(name, value);
        }
        request
    };
    let response = enter(site.serving.url()).send().await.unwrap();
    assert_eq!(response.status(), 303);
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
    let response = enter(site.serving.url().replace("http:", "https:")).send().await.unwrap();
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.ends_with("; SameSite=Strict; Secure"), "{cookie}");
}
