//! Plays the providers over HTTP, as strictly as the real ones, scripted by recipient.
