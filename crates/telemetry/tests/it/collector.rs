//! An OTLP collector that keeps what it is sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// One request that the collector got.
#[derive(Debug)]
pub(crate) struct Export {
    pub(crate) request_line: String,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Collector {
    pub(crate) endpoint: String,
    exports: Receiver<Export>,
}

impl Collector {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (sender, exports) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if sender.send(serve(stream.unwrap())).is_err() {
                    break;
                }
            }
        });
        Self { endpoint, exports }
    }

    pub(crate) fn next(&self) -> Export {
        self.exports.recv_timeout(Duration::from_secs(20)).expect("the collector got nothing")
    }
}

fn serve(stream: TcpStream) -> Export {
    let mut reader = BufReader::new(stream);
    let mut export = Export { request_line: String::new(), content_type: String::new(), body: Vec::new() };
    reader.read_line(&mut export.request_line).unwrap();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "content-type" => value.clone_into(&mut export.content_type),
            _ => {}
        }
    }
    export.body.resize(length, 0);
    reader.read_exact(&mut export.body).unwrap();
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    reader.get_mut().write_all(answer).unwrap();
    export
}
