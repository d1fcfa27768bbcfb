//! The lists that providers keep of whom not to write to, in step with a tenant's rules.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::{Launch, Server, StartOptions, cascade, sms};

const LIMIT: Duration = Duration::from_secs(30);

fn with(request: reqwest::RequestBuilder, body: &Value) -> reqwest::RequestBuilder {
    request.header("content-type", "application/json").body(body.to_string())
}

/// The connection of a provider that `hermes dev` made for the tenant.
async fn connection(server: &Server, provider: &str) -> Value {
    let (status, list) = server.get("/admin/v1/providers", &server.admin_key).await.unwrap();
    assert_eq!(status, 200, "{list}");
    let found = list["data"].as_array().unwrap().iter().find(|one| one["provider"] == provider);
    found.expect("dev connects every provider").clone()
}

/// Lets the list of a provider follow the tenant's rules; returns the connection's id.
async fn follow(server: &Server, provider: &str) -> String {
    let connection = connection(server, provider).await;
    let id = connection["id"].as_str().unwrap().to_owned();
    let mut config = connection["config"].clone();
    config["sync_suppressions"] = json!(true);
    let path = format!("{}/admin/v1/providers/{id}", server.api);
    let patch = server.client.patch(path).bearer_auth(&server.admin_key).header("if-match", "*");
    let changed = with(patch, &json!({ "config": config })).send().await.unwrap();
    assert_eq!(changed.status().as_u16(), 200, "{}", changed.text().await.unwrap());
    id
}

/// What an account of the simulator has on its list.
async fn listed(server: &Server, provider: &str) -> Vec<Value> {
    let url = format!("{}/sim/suppressions", server.simulator.url);
    let text = server.client.get(url).send().await.unwrap().text().await.unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    let lists = all[provider].as_object().unwrap();
    lists.values().flat_map(|list| list.as_array().unwrap().clone()).collect()
}

async fn until_listed(server: &Server, provider: &str, expected: &[&str]) {
    let until = Instant::now() + LIMIT;
    loop {
        let now = listed(server, provider).await;
        if now == expected {
            return;
        }
        assert!(Instant::now() < until, "{provider} lists {now:?} rather than {expected:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Puts an address on a list as somebody at the provider would.
async fn list(server: &Server, account: &str, address: &str) {
    let body = json!({ "provider": "ses", "account": account, "address": address });
    let url = format!("{}/sim/suppressions", server.simulator.url);
    let done = with(server.client.post(url), &body).send().await.unwrap();
    assert_eq!(done.status().as_u16(), 200);
}

/// Synchronises as an operator; a run that is under way is waited for.
async fn sync(server: &Server, id: &str) -> Value {
    let until = Instant::now() + LIMIT;
    loop {
        let path = format!("/admin/v1/providers/{id}/sync_suppressions");
        let (status, answer) = server.post(&path, &server.admin_key, &json!({})).await.unwrap();
        if status == 200 {
            return answer;
        }
        assert_eq!(status, 409, "{answer}");
        assert!(Instant::now() < until, "it stays busy: {answer}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn rules(server: &Server) -> Vec<Value> {
    let (status, list) = server.get("/v1/suppressions", &server.tenant_key).await.unwrap();
    assert_eq!(status, 200, "{list}");
    list["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_stop_reaches_the_providers_list_over_kill_9_and_leaves_it_with_its_rule() {
    for point in hermes_ports::kill_point::LISTS {
        let mut server = Server::new(|_| Launch::Dev);
        let hits = server.data.parent().unwrap().join("hits");
        let armed = format!("{point}:1:{}", hits.display());
        let options =
            StartOptions { env: vec![("HERMES_KILL_POINT".into(), armed)], ..StartOptions::default() };
        server.restart(&options).expect("it starts");
        server.callbacks_are_set_up().await;
        let settings = format!("{}/v1/suppressions/settings", server.api);
        let put = server.client.put(settings).bearer_auth(&server.tenant_key);
        let put = with(put, &json!({ "opt_out_scope": "all" })).send().await.unwrap();
        assert_eq!(put.status().as_u16(), 200);
        follow(&server, "messente").await;

        let mut body = sms("9912", 20);
        body["cascade"]["steps"][0]["providers"] = json!(["messente"]);
        let number = body["to"]["phone"].as_str().unwrap().to_owned();
        server.send(&body).await;
        assert!(server.wait_for_end(LIMIT), "no list was written to");
        assert_eq!(std::fs::read_to_string(&hits).unwrap().trim(), point);

        server.restart(&StartOptions::default()).expect("it starts");
        until_listed(&server, "messente", &[&number]).await;
        let rule = rules(&server).await.remove(0);
        assert_eq!((&rule["source"], &rule["sender"]), (&json!("inbound"), &Value::Null));
        let path = format!("{}/v1/suppressions/{}", server.api, rule["id"].as_str().unwrap());
        let removed = server.client.delete(path).bearer_auth(&server.tenant_key).send().await.unwrap();
        assert_eq!(removed.status().as_u16(), 204);
        until_listed(&server, "messente", &[]).await;
        assert_eq!(rules(&server).await, Vec::<Value>::new(), "what was taken off is not learnt again");
    }
}

#[tokio::test]
async fn what_is_on_the_providers_list_becomes_a_rule_and_is_not_written_to() {
    let server = Server::start();
    let mut body = cascade("0001", "0001", "0001", 20);
    let email = body["cascade"]["steps"][1].clone();
    body["cascade"]["steps"] = json!([email]);
    let address = body["to"]["email"].as_str().unwrap().to_lowercase();
    let account = hermes_simulator::demo::ses().access_key_id;
    list(&server, &account, &address).await;
    let id = follow(&server, "ses").await;
    sync(&server, &id).await;

    let learnt = rules(&server).await;
    assert_eq!(learnt.len(), 1, "{learnt:?}");
    let told = json!([learnt[0]["address"], learnt[0]["reason"], learnt[0]["source"], learnt[0]["channel"]]);
    assert_eq!(told, json!([address, "complaint", "provider", "email"]));
    let (status, problem) = server.post("/v1/messages", &server.tenant_key, &body).await.unwrap();
    assert_eq!((status, &problem["code"]), (422, &json!("recipient_suppressed")), "{problem}");

    list(&server, &account, "second@example.com").await;
    let own = json!({ "address": "own+tag@example.com" });
    assert_eq!(server.post("/v1/suppressions", &server.tenant_key, &own).await.unwrap().0, 201);
    until_listed(&server, "ses", &[&address, "own+tag@example.com", "second@example.com"]).await;
    let counts = sync(&server, &id).await;
    let told = json!([counts["read"], counts["added"], counts["failed"], counts["more"]]);
    assert_eq!(told, json!([3, 1, 0, false]), "the tenant's own address is no news");
    assert_eq!(rules(&server).await.len(), 3);

    // A rule that came from there goes from there, and does not come back.
    let path = format!("{}/v1/suppressions/{}", server.api, learnt[0]["id"].as_str().unwrap());
    let removed = server.client.delete(path).bearer_auth(&server.tenant_key).send().await.unwrap();
    assert_eq!(removed.status().as_u16(), 204);
    until_listed(&server, "ses", &["own+tag@example.com", "second@example.com"]).await;
    assert_eq!(sync(&server, &id).await["added"], 0);
}

#[tokio::test]
async fn a_connection_that_tenants_share_keeps_no_list_in_step() {
    let server = Server::start();
    let dev = connection(&server, "messente").await;
    let account = hermes_simulator::demo::messente();
    let mut shared = json!({
        "provider": "messente", "name": "shared", "channel": "sms", "mode": "test", "tenant_id": null,
        "config": { "sync_suppressions": true },
        "credentials": { "username": account.username, "password": account.password },
    });
    let (status, problem) = server.post("/admin/v1/providers", &server.admin_key, &shared).await.unwrap();
    assert_eq!((status, &problem["errors"][0]["code"]), (422, &json!("shared")), "{problem}");
    assert_eq!(problem["errors"][0]["pointer"], "/config/sync_suppressions");

    shared["config"] = json!({});
    let (status, made) = server.post("/admin/v1/providers", &server.admin_key, &shared).await.unwrap();
    assert_eq!(status, 201, "{made}");
    for id in [&made["id"], &dev["id"]] {
        let path = format!("/admin/v1/providers/{}/sync_suppressions", id.as_str().unwrap());
        let (status, problem) = server.post(&path, &server.admin_key, &json!({})).await.unwrap();
        assert_eq!((status, &problem["code"]), (409, &json!("conflict")), "{problem}");
    }
}
