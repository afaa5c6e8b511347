//! Jobs done in lists.

use super::{for_jobs, ms};
use crate::live::{data, until_end};
use mape::live::{Delivery, Live, Parts, Pipeline, Viewer, answering_lists};
use mape::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// A service that says who some customers are: `POST` a list of ids. It counts its requests.
async fn list_api() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let counted = counted.clone();
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                let (mut length, mut line) = (0, String::new());
                while stream.read_line(&mut line).await.unwrap() > 2 {
                    if let Some(number) = line.to_lowercase().strip_prefix("content-length:") {
                        length = number.trim().parse().unwrap();
                    }
                    line.clear();
                }
                let mut body = vec![0; length];
                stream.read_exact(&mut body).await.unwrap();
                counted.fetch_add(1, Ordering::Relaxed);
                let ids: Vec<u64> = serde_json::from_slice(&body).unwrap();
                let customers: Vec<_> =
                    ids.iter().map(|id| json!({"id": id, "name": format!("c{id}")})).collect();
                let body = Value::from(customers).to_string();
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
                let answer = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
                stream.get_mut().write_all(answer.as_bytes()).await.unwrap();
            });
        }
    });
    (address.to_string(), calls)
}

async fn customers(address: &str, ids: &[u64]) -> Result<Vec<Value>, BoxError> {
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    let body = serde_json::to_string(ids)?;
    let request =
        format!("POST /customers HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or("no body")?;
    Ok(serde_json::from_str(body)?)
}

#[tokio::test]
async fn a_hundred_jobs_are_at_most_two_requests_to_a_list_api_and_each_gets_its_own_answer() {
    let (address, calls) = list_api().await;
    let app = App::new();
    let live = Live::new(&app);
    let ask = answering_lists(move |list: Vec<Parts>| {
        let address = address.clone();
        async move {
            let ids = list.iter().map(|parts| parts.job().input_as()).collect::<Result<Vec<u64>, _>>()?;
            for (parts, customer) in list.iter().zip(customers(&address, &ids).await?) {
                parts.send(customer).await?;
            }
            Ok::<_, BoxError>(())
        }
    });
    let element = app.create_loop("jobs").unwrap().execute("customers").each_unordered(4, ask);
    live.job_lists("customers", &element.spawn().unwrap()).unwrap();
    for_jobs(&live, Pipeline::named(["customers"]).batch(100, ms(200)).rate_limit(2, ms(1000)));
    let clients: Vec<_> = (0..100)
        .map(|id| {
            let client = live.connect(Viewer::default());
            client.ask("customers", id).unwrap();
            client.close_when_done();
            client
        })
        .collect();
    for (id, client) in clients.into_iter().enumerate() {
        let told = until_end(client).await;
        assert_eq!(data(&told[0]).unwrap(), json!({"id": id, "name": format!("c{id}")}));
        assert!(matches!(told[1..], [Delivery::Ended { parts: 1, .. }]), "{told:?}");
    }
    let calls = calls.load(Ordering::Relaxed);
    assert!((1..=2).contains(&calls), "{calls} requests");
}

#[tokio::test(start_paused = true)]
async fn what_a_list_fails_on_reaches_everybody_in_it_and_who_has_gone_is_not_asked_for() {
    let app = App::new();
    let live = Live::new(&app);
    let fails = answering_lists(|list: Vec<Parts>| async move {
        assert_eq!(list.len(), 2);
        list[0].send("begun").await?;
        assert!(**list[0].job().input() != "panic", "out of cheese");
        Err::<(), BoxError>("the service is down".into())
    });
    let element = app.create_loop("jobs").unwrap().execute("list").each_unordered(4, fails);
    live.job_lists("list", &element.spawn().unwrap()).unwrap();
    for_jobs(&live, Pipeline::new().batch(3, ms(100)));
    for (input, error) in
        [("fail", "error: the service is down"), ("panic", "error: panicked: out of cheese")]
    {
        let clients = [(); 3].map(|()| live.connect(Viewer::default()));
        for client in &clients {
            client.ask("list", input).unwrap();
        }
        let [first, gone, last] = clients;
        drop(gone);
        for (client, wanted) in [(first, vec!["begun", error]), (last, vec![error])] {
            client.close_when_done();
            let told = until_end(client).await;
            assert_eq!(told.iter().filter_map(data).collect::<Vec<_>>(), wanted);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_pipeline_a_list_has_one_job_and_names_are_never_mixed() {
    let app = App::new();
    let live = Live::new(&app);
    let lists = answering_lists(|list: Vec<Parts>| async move {
        let names: Vec<_> = list.iter().map(|parts| parts.job().name().to_string()).collect();
        for parts in &list {
            parts.send(names.clone()).await?;
        }
        Ok::<_, BoxError>(())
    });
    let element = app.create_loop("jobs").unwrap().execute("list").each_unordered(4, lists);
    let element = element.spawn().unwrap();
    live.job_lists("a", &element).unwrap();
    live.job_lists("b", &element).unwrap();
    let ask = async |name: &str| {
        let client = live.connect(Viewer::default());
        client.ask(name, ()).unwrap();
        client.close_when_done();
        until_end(client).await.iter().find_map(data).unwrap()
    };
    assert_eq!(ask("a").await, json!(["a"]));
    for_jobs(&live, Pipeline::new().batch(10, ms(10)));
    let (a, b, second) = tokio::join!(ask("a"), ask("b"), ask("a"));
    assert_eq!((a, b, second), (json!(["a", "a"]), json!(["b"]), json!(["a", "a"])));
}
