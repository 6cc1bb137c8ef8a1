//! The builders that a script sees: the one table of their methods.
//!
//! The prelude makes the classes from it, messages find the nearest method in it, and the
//! tests hold the published type declarations against it.

/// A class of the script's world.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Class {
    pub name: &'static str,
    /// Whether a script may say `new` itself; most arguments of that.
    pub made_by: MadeBy,
    pub methods: &'static [Method],
}

/// Who makes the objects of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MadeBy {
    /// `new`, with at most so many arguments.
    New(usize),
    /// A method of another class.
    Method,
}

/// A method.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Method {
    pub name: &'static str,
    /// The arguments' names; messages use them, and an edge's origin has them as parts.
    pub arguments: &'static [&'static str],
    /// How many of them must be there.
    pub required: usize,
    pub gives: Gives,
}

/// What a method gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gives {
    This,
    Promise,
    Object(&'static str),
}

const fn method(
    name: &'static str,
    arguments: &'static [&'static str],
    required: usize,
    gives: Gives,
) -> Method {
    Method { name, arguments, required, gives }
}

pub(crate) const CLASSES: &[Class] = &[
    Class {
        name: "TopologyBuilder",
        made_by: MadeBy::New(1),
        methods: &[
            method(
                "createGroup",
                &["id", "config", "position"],
                1,
                Gives::Object("GroupBuilder"),
            ),
            method("createProcess", &["id", "config"], 1, Gives::This),
            method("connect", &["source", "target", "options"], 2, Gives::This),
            method("kafka", &["config"], 0, Gives::Object("KafkaBuilder")),
            method("title", &["text"], 1, Gives::This),
            method("description", &["text"], 1, Gives::This),
            method("direction", &["direction"], 1, Gives::This),
            method("apply", &[], 0, Gives::Promise),
        ],
    },
    Class {
        name: "GroupBuilder",
        made_by: MadeBy::Method,
        methods: &[
            method("addProcess", &["id", "config"], 1, Gives::This),
            method("newRow", &[], 0, Gives::This),
            method("addGroup", &["id", "config"], 1, Gives::Object("GroupBuilder")),
            method("autoResize", &[], 0, Gives::This),
            method("layer", &["name"], 1, Gives::This),
        ],
    },
    Class {
        name: "FlowBuilder",
        made_by: MadeBy::New(1),
        methods: &[
            method(
                "scenario",
                &["id", "title", "description", "options"],
                1,
                Gives::This,
            ),
            method("from", &["id"], 1, Gives::This),
            method("to", &["id"], 1, Gives::This),
            method("showMessage", &["text"], 1, Gives::This),
            method("showError", &["text"], 1, Gives::This),
            method("flashError", &["id"], 1, Gives::This),
            method("parallel", &["hops"], 1, Gives::This),
            method("setState", &["id", "state"], 2, Gives::This),
            method("wait", &["ms"], 1, Gives::This),
            method("delay", &["ms"], 1, Gives::This),
        ],
    },
    Class {
        name: "KafkaBuilder",
        made_by: MadeBy::Method,
        methods: &[method(
            "scenario",
            &["id", "title", "description", "options"],
            1,
            Gives::Object("ScenarioBuilder"),
        )],
    },
    Class {
        name: "ScenarioBuilder",
        made_by: MadeBy::New(1),
        methods: &[
            method(
                "scenario",
                &["id", "title", "description", "options"],
                1,
                Gives::This,
            ),
            method("produce", &["producer", "topic", "options"], 1, Gives::This),
            method("crash", &["node", "options"], 1, Gives::This),
            method("start", &["node", "options"], 1, Gives::This),
            method("restart", &["node", "options"], 1, Gives::This),
            method("pause", &["node", "options"], 1, Gives::This),
            method("resume", &["node", "options"], 1, Gives::This),
            method("partition", &["one", "other", "options"], 2, Gives::This),
            method("fault", &["fault", "options"], 1, Gives::This),
            method("shutdown", &["node", "options"], 1, Gives::This),
            method("admin", &["line", "options"], 1, Gives::This),
            method("client", &["node", "line", "options"], 2, Gives::This),
            method("heal", &["options"], 0, Gives::This),
            method("wait", &["ms", "options"], 1, Gives::This),
            method("waitUntil", &["condition", "options"], 1, Gives::This),
            method("expect", &["condition", "options"], 1, Gives::This),
            method("say", &["caption"], 1, Gives::This),
        ],
    },
];

/// The class with this name.
pub(crate) fn class(name: &str) -> Option<&'static Class> {
    CLASSES.iter().find(|class| class.name == name)
}

/// The method of a class.
pub(crate) fn find(class_name: &str, method: &str) -> Option<&'static Method> {
    class(class_name)?.methods.iter().find(|one| one.name == method)
}

/// The classes that a script may name.
pub(crate) fn public_names() -> impl Iterator<Item = &'static str> {
    CLASSES.iter().filter(|class| class.made_by != MadeBy::Method).map(|class| class.name)
}

/// Every method's name.
pub(crate) fn method_names() -> impl Iterator<Item = &'static str> {
    CLASSES.iter().flat_map(|class| class.methods).map(|method| method.name)
}

/// The table as the prelude takes it: `class public|hidden method=result …`, one a line.
pub(crate) fn for_prelude() -> String {
    let classes = CLASSES.iter().map(|class| {
        let methods = class.methods.iter().map(|method| match method.gives {
            Gives::This => format!("{}=this", method.name),
            Gives::Promise => format!("{}=promise", method.name),
            Gives::Object(class) => format!("{}={class}", method.name),
        });
        let methods: Vec<String> = methods.collect();
        let by = if class.made_by == MadeBy::Method { "hidden" } else { "public" };
        format!("{} {by} {}", class.name, methods.join(" "))
    });
    classes.collect::<Vec<_>>().join("\n")
}
