//! Connections that stay, and requests that follow one another.

use crate::common::{Client, builder, connect, eventually, in_use, listen, router};

#[tokio::test]
async fn an_axum_router_is_served_over_tcp_with_keep_alive() {
    let server = builder().build();
    let mut client = Client::tcp(listen(&server, router()).await).await;
    for round in 1..=3 {
        let answer = client.get("/").await;
        assert_eq!((answer.status, answer.text()), (200, "hello"), "round {round}");
        assert!(answer.fields.contains_key("date") && !answer.closes());

        let body = vec![b'x'; 16 << 10];
        let answer = client.post("/echo", &body).await;
        assert_eq!((answer.status, &answer.body), (200, &body));
    }
    let stats = server.stats();
    assert_eq!((stats.open, stats.connections, stats.requests), (1, 1, 6));
    eventually(|| in_use(&server) == 0).await;
    drop(client);
    eventually(|| server.stats().open == 0).await;
}

#[tokio::test]
async fn requests_in_one_piece_are_answered_in_order() {
    let server = builder().build();
    let (mut client, _served) = connect(&server, router());
    let requests: String =
        (0..200).map(|i| format!("GET /bytes/{i} HTTP/1.1\r\nHost: a\r\n\r\n")).collect();
    client.send(requests).await;
    for i in 0..200 {
        assert_eq!(client.answer().await.body.len(), i);
    }
}
