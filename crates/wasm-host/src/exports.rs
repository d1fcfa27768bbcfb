//! What a component exports: `provider`, and the interfaces that it may leave out.

use wasmtime::{Engine, Store, component::InstancePre};

use crate::{
    bindings::{wit, wit_list},
    guest::GuestState,
};

/// As the contract calls it; older ones within 1.x are found, too.
const SUPPRESSION_LIST: &str = "hermes:adapter/suppression-list@1.2.0";

/// A linked component, and where its functions are.
pub(crate) struct Exports {
    pre: InstancePre<GuestState>,
    provider: wit::GuestIndices,
    list: Option<wit_list::GuestIndices>,
}

/// The functions of an instance.
pub(crate) struct Guest {
    /// Those that every adapter has.
    pub(crate) provider: wit::Guest,
    /// Those of a provider's suppression list, if the component exports them.
    pub(crate) list: Option<wit_list::Guest>,
}

impl Exports {
    /// Finds the functions.
    ///
    /// # Errors
    /// When one is missing; a whole interface is, only where it must not be.
    pub(crate) fn find(pre: InstancePre<GuestState>) -> wasmtime::Result<Self> {
        let provider = wit::GuestIndices::new(&pre)?;
        let has_list = pre.component().get_export_index(None, SUPPRESSION_LIST).is_some();
        let list = if has_list { Some(wit_list::GuestIndices::new(&pre)?) } else { None };
        Ok(Self { pre, provider, list })
    }

    pub(crate) fn engine(&self) -> &Engine {
        self.pre.engine()
    }

    /// # Errors
    /// When the component traps as it starts, or a function has another type than the contract's.
    pub(crate) fn instantiate(&self, store: &mut Store<GuestState>) -> wasmtime::Result<Guest> {
        let instance = self.pre.instantiate(&mut *store)?;
        let provider = self.provider.load(&mut *store, &instance)?;
        let list = self.list.as_ref().map(|list| list.load(&mut *store, &instance)).transpose()?;
        Ok(Guest { provider, list })
    }
}
