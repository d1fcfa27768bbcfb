;; The smallest adapter that Hermes installs: it says who it is, asks for one request and refuses every webhook.
;;
;; `least.wasm` is made of it: wasm-tools component embed schema/wit least.wat -o core.wasm, then
;; wasm-tools component new core.wasm -o least.wasm.
(module
  (memory (export "memory") 1)
  (global $next (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func $end (param i32) (result i32) (global.set $next (i32.const 4096)) (local.get 0))
  (func (export "hermes:adapter/provider@1.1.0#describe") (result i32) (call $end (i32.const 16)))
  (func (export "hermes:adapter/provider@1.1.0#send") (param i32) (result i32) (call $end (i32.const 256)))
  (func (export "hermes:adapter/provider@1.1.0#resume-send") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $end (i32.const 512)))
  (func (export "hermes:adapter/provider@1.1.0#receive") (param i32 i32 i32 i32 i32 i32 i32 i64) (result i32)
    (call $end (i32.const 768)))
  (func (export "hermes:adapter/provider@1.1.0#resume-receive")
    (param i32 i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $end (i32.const 768)))
  (func (export "hermes:adapter/provider@1.1.0#check") (result i32) (call $end (i32.const 512)))
  (func (export "hermes:adapter/provider@1.1.0#lookup") (param i32) (result i32) (call $end (i32.const 1024)))
  ;; Texts.
  (data (i32.const 1280) "least1.0.0api.least.examplehttps://api.least.example/v1")
  ;; descriptor: name, version, channels, credentials, config, hosts, idempotency, confirms, rate
  (data (i32.const 16)
    "\00\05\00\00\05\00\00\00" "\05\05\00\00\05\00\00\00" "\80\00\00\00\01\00\00\00"
    "\00\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00" "\88\00\00\00\01\00\00\00"
    "\02\00\00\00" "\90\00\00\00\01\00\00\00" "\01\00\00\00")
  ;; channels: sms; hosts: one; confirms: sms delivered
  (data (i32.const 128) "\00")
  (data (i32.const 136) "\0a\05\00\00\11\00\00\00")
  (data (i32.const 144) "\00\02")
  ;; send: request(POST url, submits)
  (data (i32.const 256) "\00\00\00\00\00\00\00\00\01\00\00\00\1b\05\00\00\1c\00\00\00")
  (data (i32.const 336) "\01")
  ;; done(accepted)
  (data (i32.const 512) "\01")
  ;; done(err(bad-signature))
  (data (i32.const 768) "\01\00\00\00\01\00\00\00\00"))
