//! What the stripper leaves of TypeScript, character by character.

use topomotion_model::FileId;

use super::{Dialect, Module, Part, on_deep_stack, read};

fn strip_as(text: &str, dialect: Dialect, part: Part) -> Module {
    let module = on_deep_stack(|levels| read(text, FileId(0), dialect, part, levels));
    module.expect("a thread to parse on")
}

fn strip(text: &str) -> String {
    let module = strip_as(text, Dialect::TypeScript, Part::Script);
    assert_eq!(module.diagnostics, [], "{text}");
    assert_eq!(module.code.len(), text.len(), "{text}");
    module.code
}

/// Each case: the script, and what must be left. A run of spaces stands for any blank.
#[test]
fn types_become_spaces_and_nothing_else_changes() {
    let cases = [
        ("const a: number = 1", "const a = 1"),
        ("let a!: string;", "let a ;"),
        (
            "function f<T>(a: T, b?: number): T { return a }",
            "function f (a , b ) { return a }",
        ),
        ("function f(this: Foo, a) {}", "function f( a) {}"),
        ("function f(this: Foo) {}", "function f( ) {}"),
        (
            "const f = (a: number, ...b: string[]): void => {}",
            "const f = (a , ...b ) => {}",
        ),
        ("const f = async <T,>(a: T) => a", "const f = async (a ) => a"),
        ("x = y as any as T", "x = y ;"),
        ("x = y satisfies T;", "x = y ;"),
        ("x = y!.z![0]!", "x = y .z [0];"),
        ("x = <T>y", "x = y"),
        ("f<T>(1); new G<T>(2); h<T>`x`", "f (1); new G (2); h `x`"),
        ("const g = f<string>;", "const g = f ;"),
        ("interface A { b: number }", ";"),
        ("type A = { b: number };", ";"),
        ("declare const a: number;", ";"),
        ("declare function f(): void;", ";"),
        ("declare module 'x' { }", ";"),
        ("declare global { }", ";"),
        ("function f(a: number): void;\nfunction f(a) {}", ";\nfunction f(a) {}"),
        ("abstract class A<T> extends B<T> implements C, D { }", "class A extends B { }"),
        (
            "class A { private a: number = 1; readonly b?: string; c!: X; declare d: Y }",
            "class A { ; a = 1; ; b ; c ; ; }",
        ),
        ("class A { abstract b(): void; c?(): void {} }", "class A { ; c () {} }"),
        (
            "class A { [k: string]: any; public get b(): X { return 1 } }",
            "class A { ; ; get b() { return 1 } }",
        ),
        (
            "class A { public static async *b<T>(): X {} }",
            "class A { ; static async *b () {} }",
        ),
        ("try {} catch (e: unknown) {}", "try {} catch (e ) {}"),
        ("for (const a of b as T[]) {}", "for (const a of b ) {}"),
        ("for (let i = 0 as number; i < 1; i++) {}", "for (let i = 0 ; i < 1; i++) {}"),
        ("const { a, b }: T = c", "const { a, b } = c"),
        ("const is = (a): a is string => true", "const is = (a) => true"),
        ("import type { A } from './a';", ";"),
        ("export type { A } from './a';", ";"),
        ("export interface A { }", ";"),
        ("export const a: number = 1;", "const a = 1;"),
        ("label: for (;;) { break label }", "label: for (;;) { break label }"),
        ("a ? (b) : (c)", "a ? (b) : (c)"),
        ("a < b > c", "a < b > c"),
    ];
    for (text, expected) in cases {
        let code = strip(text);
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words(&code), words(expected), "{text}");
    }
}

#[test]
fn a_sibling_keeps_its_imports_and_loses_the_types_among_them() {
    let text = "import { type A, b, type C } from './a';\nexport { type D, e };";
    let code = strip_as(text, Dialect::TypeScript, Part::Sibling).code;
    let words: Vec<&str> = code.split_whitespace().collect();
    assert_eq!(words.join(" "), "import { b, } from './a'; export { e };");
}

#[test]
fn a_statement_that_ended_by_its_line_break_still_ends_there() {
    let cases = [
        ("const a = b as T\n(c)", "const a = b;    \n(c)"),
        ("let a: T\n[b]", "let a;  \n[b]"),
        ("a = b!\n;(c)", "a = b \n;(c)"),
        ("class A { a: T\n['b']() {} }", "class A { a;  \n['b']() {} }"),
        ("class A { a = 1\n public *b() {} }", "class A { a = 1\n ;      *b() {} }"),
        ("class A { get: T\nb() {} }", "class A { get;  \nb() {} }"),
        ("if (a) b as T\nelse c", "if (a) b;    \nelse c"),
        ("a\ntype B = 1\n(c)", "a\n;         \n(c)"),
    ];
    for (text, expected) in cases {
        assert_eq!(strip(text), expected, "{text}");
    }
}

#[test]
fn a_type_that_spans_lines_keeps_the_arrow_on_its_line() {
    assert_eq!(
        strip("const f = (a): Promise<\n  T\n> => a"),
        "const f = (a           \n   \n) => a"
    );
    assert_eq!(strip("return <\nT\n>(a: T) => a"), "return (\n \n  a   ) => a");
    assert_eq!(strip("x = async <\nT\n>(a) => a"), "x = async (\n \n  a) => a");
}

#[test]
fn what_is_blanked_keeps_every_byte_at_its_place() {
    let text = "const ä: Grüße<'😀'> = f<Ö>(ü as Ä, 'ß')";
    let code = strip(text);
    for (word, text_at) in [("'ß'", text.find("'ß'")), ("= f", text.find("= f"))] {
        assert_eq!(code.find(word), text_at, "{code}");
    }
}

#[test]
fn typescript_that_makes_code_is_refused_with_what_to_write() {
    for (text, what) in [
        ("enum A { B }", "an `enum`"),
        ("const enum A { B }", "an `enum`"),
        ("namespace A { export const b = 1 }", "a `namespace`"),
        ("class A { constructor(private a: number) {} }", "a parameter property"),
        ("import a = require('a')", "`import =`"),
        ("export = 1", "`export =`"),
        ("@dec class A {}", "a decorator"),
        ("class A { accessor a = 1 }", "an `accessor` field"),
        ("const f = () => <T>{ a: 1 }", "a type assertion before `{`"),
        ("x = <\nT\n>y", "a type assertion that spans lines"),
        ("export default 1", "`export default`"),
        ("export * from './a'", "`export *`"),
    ] {
        let found = strip_as(text, Dialect::TypeScript, Part::Script).diagnostics;
        let messages: Vec<&str> = found.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(messages, [format!("{what} cannot be used in a script")], "{text}");
        assert!(found[0].help.is_some(), "{text}");
    }
}

#[test]
fn types_in_a_javascript_file_are_errors_that_say_so() {
    let module =
        strip_as("const f = (a: number) => a", Dialect::JavaScript, Part::Script);
    let help = module.diagnostics[0].help.as_deref();
    assert_eq!(help, Some("types are TypeScript: name the file `.ts`"));
}

#[test]
fn several_syntax_errors_are_found_in_one_run() {
    let text =
        "const a = ;\nconst b = 1;\nlet = = 2;\nfunction f() {\n  return * 2;\n}\n";
    let module = strip_as(text, Dialect::TypeScript, Part::Script);
    let lines: Vec<usize> = (module.diagnostics.iter())
        .filter_map(|error| error.span)
        .map(|span| text[..span.start as usize].matches('\n').count() + 1)
        .collect();
    assert_eq!(lines, [1, 3, 5], "{:#?}", module.diagnostics);
}

#[test]
fn deep_nesting_is_read_or_refused_but_never_fatal() {
    let deep = 250_000 / 4;
    for text in [
        "!".repeat(deep),
        "(".repeat(deep),
        "[".repeat(deep),
        "a=>".repeat(deep),
        "if(1)".repeat(deep),
        "a+".repeat(deep),
        "a?b:".repeat(deep),
        "x=".repeat(deep),
        "{".repeat(deep),
        "`${".repeat(deep),
        format!("let x: {}", "A<".repeat(deep)),
        format!("f{}", ".g()".repeat(deep)),
        format!("{}1{}", "(".repeat(deep), ")".repeat(deep)),
        "new ".repeat(deep),
        "class A{a(){".repeat(deep),
        "!".repeat(250_000),
        "(".repeat(250_000),
        "!".repeat(1_000_000),
        "(".repeat(1_000_000),
    ] {
        strip_as(&text, Dialect::TypeScript, Part::Script);
    }
}
