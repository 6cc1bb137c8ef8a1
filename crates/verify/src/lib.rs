//! Judgement over a run: expectations and invariants, with a model of their own.
