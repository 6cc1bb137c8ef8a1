//! One run of one program in a fresh engine.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use rquickjs::context::EvalOptions;
use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::Declared;
use rquickjs::promise::MaybePromise;
use rquickjs::{CatchResultExt, CaughtError, Context, Ctx, Error, Module, Runtime};
use rquickjs::{Function, Value as Js};

use crate::api;
use crate::data::Data;
use crate::sandbox::failure::{Failure, Kind, frames};
use crate::sandbox::recorder::{self, Notes};
use crate::sandbox::{Outcome, Program, SCRIPT_STACK, Target, convert};
use crate::{Clock, Options};

const PRELUDE: &str = include_str!("prelude.js");
/// The name of the module that `import … from 'topomotion'` means.
pub(crate) const TOOLKIT: &str = "topomotion";

pub(super) fn run(program: &Program, options: &Options, clock: Clock) -> Outcome {
    let notes = Rc::new(RefCell::new(Notes::default()));
    let result = evaluate(program, options, clock, &notes);
    let notes = notes.take();
    Outcome { records: notes.records, printed: notes.printed, result }
}

fn evaluate(
    program: &Program,
    options: &Options,
    clock: Clock,
    notes: &Rc<RefCell<Notes>>,
) -> Result<Data, Failure> {
    let broken = |_: Error| Failure::of(Kind::Broken);
    let runtime = runtime().map_err(broken)?;
    runtime.set_memory_limit(options.memory_limit);
    runtime.set_max_stack_size(SCRIPT_STACK);
    runtime.set_loader(Imports(program.clone()), Files(program.clone()));
    let context = Context::full(&runtime).map_err(broken)?;
    let timed_out = Rc::new(Cell::new(false));
    stop_at_deadline(&runtime, options, clock, &timed_out);
    context.with(|ctx| {
        let judge = |error: CaughtError<'_>| failure(&error, timed_out.get());
        prepare(&ctx, notes).catch(&ctx).map_err(judge)?;
        let code = wrap(program);
        let mut eval = EvalOptions::default();
        eval.strict = false;
        eval.filename = Some("#0".to_owned());
        let promise: MaybePromise<'_> =
            ctx.eval_with_options(code, eval).catch(&ctx).map_err(judge)?;
        let value: Js<'_> = match promise.finish::<Js<'_>>() {
            Err(Error::WouldBlock) if timed_out.get() => {
                return Err(Failure::of(Kind::TimedOut));
            }
            Err(Error::WouldBlock) => return Err(Failure::of(Kind::NeverSettled)),
            result => result.catch(&ctx).map_err(judge)?,
        };
        convert::data(&ctx, value).catch(&ctx).map_err(judge)
    })
}

#[cfg(not(target_family = "wasm"))]
fn runtime() -> rquickjs::Result<Runtime> {
    Runtime::new()
}

/// The C library there cannot tell how large a block is, and no limit would hold.
#[cfg(target_family = "wasm")]
fn runtime() -> rquickjs::Result<Runtime> {
    Runtime::new_with_alloc(rquickjs::allocator::RustAllocator)
}

/// The engine asks now and then whether it should go on.
fn stop_at_deadline(
    runtime: &Runtime,
    options: &Options,
    clock: Clock,
    timed_out: &Rc<Cell<bool>>,
) {
    let deadline = clock().checked_add(options.time_limit);
    let timed_out = Rc::clone(timed_out);
    runtime.set_interrupt_handler(Some(Box::new(move || {
        let is_over = deadline.is_some_and(|deadline| clock() >= deadline);
        if is_over {
            timed_out.set(true);
        }
        is_over
    })));
}

fn prepare(ctx: &Ctx<'_>, notes: &Rc<RefCell<Notes>>) -> rquickjs::Result<()> {
    let mut options = EvalOptions::default();
    options.filename = Some("topomotion:prelude".to_owned());
    let prelude: Function<'_> = ctx.eval_with_options(PRELUDE, options)?;
    prelude.call((
        api::for_prelude(),
        recorder::record(ctx, notes)?,
        recorder::print(ctx, notes)?,
    ))
}

/// The script as the body of an async function. The first line is ours alone, so that the
/// script's columns stay as they are.
fn wrap(program: &Program) -> String {
    let script = program.files.first().map_or("", String::as_str);
    format!("(async () => {{ {}\n{script}\n}})()", program.imports)
}

fn failure(error: &CaughtError<'_>, timed_out: bool) -> Failure {
    let thrown =
        |name: &str, message: String| Kind::Thrown { name: name.to_owned(), message };
    let (kind, stack) = match error {
        CaughtError::Exception(exception) => {
            let name: Option<String> = exception.get("name").ok();
            let message = exception.message().unwrap_or_default();
            let name = name.unwrap_or_else(|| "Error".to_owned());
            (thrown(&name, message), exception.stack().unwrap_or_default())
        }
        CaughtError::Value(value) => {
            let told = value.get::<rquickjs::Coerced<String>>();
            let told = told.map_or_else(|_| "something".to_owned(), |told| told.0);
            // Where memory is too short even for an error, the engine throws `null`.
            let is_null = value.is_null();
            (if is_null { Kind::ThrewNull } else { thrown("", told) }, String::new())
        }
        CaughtError::Error(error) => (thrown("Error", error.to_string()), String::new()),
    };
    let kind = match kind {
        _ if timed_out => Kind::TimedOut,
        Kind::Thrown { name, message }
            if name == "InternalError" && message == "out of memory" =>
        {
            Kind::OutOfMemory
        }
        kind => kind,
    };
    Failure { kind, frames: frames(&stack) }
}

/// Says which file an import means; everything was looked up before the run.
struct Imports(Program);

impl Resolver for Imports {
    fn resolve<'js>(
        &mut self,
        _: &Ctx<'js>,
        base: &str,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> rquickjs::Result<String> {
        if name == TOOLKIT {
            return Ok(TOOLKIT.to_owned());
        }
        let file = base.strip_prefix('#').and_then(|number| number.parse().ok());
        let target = file.and_then(|file| self.0.targets.get(&(file, name.to_owned())));
        match target {
            Some(Target::File(file)) => Ok(format!("#{file}")),
            Some(Target::Toolkit) => Ok(TOOLKIT.to_owned()),
            None => Err(Error::new_resolving_message(
                base,
                name,
                "a script imports only files beside it, named by a plain text",
            )),
        }
    }
}

/// Hands the files over, which were read before the run.
struct Files(Program);

impl Loader for Files {
    fn load<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> rquickjs::Result<Module<'js, Declared>> {
        if name == TOOLKIT {
            let exports = api::public_names()
                .map(|name| format!("export const {name} = globalThis.{name};"));
            return Module::declare(ctx.clone(), name, exports.collect::<String>());
        }
        let file: Option<usize> = name.strip_prefix('#').and_then(|n| n.parse().ok());
        match file.and_then(|file| self.0.files.get(file)) {
            Some(code) => Module::declare(ctx.clone(), name, code.as_str()),
            None => Err(Error::new_loading(name)),
        }
    }
}
