//! What a person sees first.

use std::time::Duration;

use super::seed::DevFile;

/// Prints where everything is and what to try.
pub(super) fn print(file: &DevFile, took: Duration) {
    let DevFile { api, tenant_key, admin_key, data, .. } = file;
    println!("Hermes is ready ({:.1} s). Nothing leaves this machine.", took.as_secs_f64());
    println!("API {api}   Docs {api}/docs   Key {tenant_key}   Admin {admin_key}   Data {data}");
    println!("1  Delivered by SMS:         {}", curl(file, "+4520123456"));
    println!("2  SMS silent, email wins:   {}", curl(file, "+4520129902"));
    println!("3  Watch it:                 hermes message watch msg_…");
}

/// One line that sends a message to `phone`.
pub(super) fn curl(file: &DevFile, phone: &str) -> String {
    let body = format!(
        r#"{{"to":{{"phone":"{phone}","email":"ada@example.com","push":[{{"token":"sim-1-demo","platform":"android"}}]}},"content":{{"text":"Order 1042 has shipped"}}}}"#
    );
    format!(
        "curl -sS {}/v1/messages -H 'Authorization: Bearer {}' -H 'Content-Type: application/json' -d '{body}'",
        file.api, file.tenant_key
    )
}
