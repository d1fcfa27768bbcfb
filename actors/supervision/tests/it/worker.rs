//! An actor that ends in whichever way the test wants.

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

pub(crate) struct Worker;

#[derive(Debug)]
pub(crate) enum WorkerMsg {
    Ping(RpcReplyPort<u64>),
    Ignore(RpcReplyPort<u64>),
    Hold(RpcReplyPort<u64>),
    Hang,
    Panic,
    Fail,
    Complete,
}

/// Holds reply ports, so that they are neither answered nor dropped.
#[derive(Default)]
pub(crate) struct Held(Vec<RpcReplyPort<u64>>);

impl Actor for Worker {
    type Msg = WorkerMsg;
    type State = Held;
    type Arguments = ();

    async fn pre_start(&self, _me: ActorRef<WorkerMsg>, _args: ()) -> Result<Held, ActorProcessingErr> {
        Ok(Held::default())
    }

    async fn handle(
        &self,
        me: ActorRef<WorkerMsg>,
        message: WorkerMsg,
        held: &mut Held,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            WorkerMsg::Ping(reply) => hermes_supervision::answer(reply, me.get_id().pid()),
            WorkerMsg::Ignore(reply) => drop(reply),
            WorkerMsg::Hold(reply) => held.0.push(reply),
            WorkerMsg::Hang => std::future::pending().await,
            WorkerMsg::Panic => panic!("on purpose"),
            WorkerMsg::Fail => return Err("broken on purpose".into()),
            WorkerMsg::Complete => me.stop(Some(hermes_supervision::reason::COMPLETED.to_owned())),
        }
        Ok(())
    }
}
