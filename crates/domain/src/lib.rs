//! Pure rules of message delivery: cascades, routing, breakers, rate windows, messages and money.
