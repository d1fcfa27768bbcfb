//! Fields of a descriptor.

use crate::contract::Field;

/// A setting that every connection must have.
pub fn setting(name: &str, description: &str) -> Field {
    field(name, true, false, description)
}

/// A setting that a connection may have.
pub fn optional_setting(name: &str, description: &str) -> Field {
    field(name, false, false, description)
}

/// A secret that every connection must have.
pub fn credential(name: &str, description: &str) -> Field {
    field(name, true, false, description)
}

/// A secret that a connection may have.
pub fn optional_credential(name: &str, description: &str) -> Field {
    field(name, false, false, description)
}

/// A credential that is no secret, such as an account id; every connection must have it.
pub fn identifier(name: &str, description: &str) -> Field {
    field(name, true, true, description)
}

/// A credential that is no secret; a connection may have it.
pub fn optional_identifier(name: &str, description: &str) -> Field {
    field(name, false, true, description)
}

fn field(name: &str, required: bool, public: bool, description: &str) -> Field {
    Field { name: name.to_owned(), required, public, description: description.to_owned() }
}
