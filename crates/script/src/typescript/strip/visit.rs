//! The walk over the tree: which node is blanked how.
//!
//! Types are never walked into: they go as a whole.

use oxc_ast::ast;
use oxc_ast_visit::{Visit, walk};
use oxc_span::GetSpan;
use oxc_syntax::scope::ScopeFlags;

use super::Stripper;
use crate::typescript::{Import, ImportForm, Part, calls, modules, range};

impl<'a> Visit<'a> for Stripper<'_> {
    // Calls.

    fn visit_call_expression(&mut self, it: &ast::CallExpression<'a>) {
        self.calls.push(calls::call(it));
        walk::walk_call_expression(self, it);
    }

    fn visit_new_expression(&mut self, it: &ast::NewExpression<'a>) {
        self.calls.push(calls::new(it));
        walk::walk_new_expression(self, it);
    }

    // Loops.

    fn visit_while_statement(&mut self, it: &ast::WhileStatement<'a>) {
        self.note_loop(it.span.start..it.body.span().start, is_always_true(&it.test));
        walk::walk_while_statement(self, it);
    }

    fn visit_do_while_statement(&mut self, it: &ast::DoWhileStatement<'a>) {
        self.note_loop(it.span.start..it.span.start + 2, is_always_true(&it.test));
        walk::walk_do_while_statement(self, it);
    }

    fn visit_for_statement(&mut self, it: &ast::ForStatement<'a>) {
        let is_endless = it.test.as_ref().is_none_or(is_always_true);
        self.note_loop(it.span.start..it.body.span().start, is_endless);
        walk::walk_for_statement(self, it);
    }

    fn visit_for_of_statement(&mut self, it: &ast::ForOfStatement<'a>) {
        self.note_loop(it.span.start..it.body.span().start, false);
        walk::walk_for_of_statement(self, it);
    }

    fn visit_for_in_statement(&mut self, it: &ast::ForInStatement<'a>) {
        self.note_loop(it.span.start..it.body.span().start, false);
        walk::walk_for_in_statement(self, it);
    }

    // Types inside expressions.

    fn visit_ts_type_annotation(&mut self, it: &ast::TSTypeAnnotation<'a>) {
        self.blanks.blank(range(it.span));
    }

    fn visit_ts_type_parameter_declaration(
        &mut self,
        it: &ast::TSTypeParameterDeclaration<'a>,
    ) {
        self.blanks.blank(range(it.span));
    }

    fn visit_ts_type_parameter_instantiation(
        &mut self,
        it: &ast::TSTypeParameterInstantiation<'a>,
    ) {
        self.blanks.blank(range(it.span));
    }

    fn visit_ts_as_expression(&mut self, it: &ast::TSAsExpression<'a>) {
        self.visit_expression(&it.expression);
        self.blank_tail(it.expression.span(), it.span);
    }

    fn visit_ts_satisfies_expression(&mut self, it: &ast::TSSatisfiesExpression<'a>) {
        self.visit_expression(&it.expression);
        self.blank_tail(it.expression.span(), it.span);
    }

    fn visit_ts_non_null_expression(&mut self, it: &ast::TSNonNullExpression<'a>) {
        self.visit_expression(&it.expression);
        self.blank_tail(it.expression.span(), it.span);
    }

    fn visit_ts_type_assertion(&mut self, it: &ast::TSTypeAssertion<'a>) {
        let types = it.span.start..it.expression.span().start;
        if self.blanks.breaks_line(types.clone()) {
            let help = "write it on one line, or as `value as T`";
            self.refuse("a type assertion that spans lines", it.span, help);
        }
        self.blanks.blank(types);
        self.visit_expression(&it.expression);
    }

    // Statements.

    fn visit_statement(&mut self, it: &ast::Statement<'a>) {
        walk::walk_statement(self, it);
        match it {
            ast::Statement::ExpressionStatement(statement) => {
                self.check_head(&statement.expression);
                self.end_statement(statement.span);
            }
            ast::Statement::VariableDeclaration(_)
            | ast::Statement::ReturnStatement(_)
            | ast::Statement::ThrowStatement(_)
            | ast::Statement::DoWhileStatement(_)
            | ast::Statement::ExportDeclaration(_)
            | ast::Statement::ExportDefaultDeclaration(_) => {
                self.end_statement(it.span());
            }
            _ => {}
        }
    }

    fn visit_variable_declaration(&mut self, it: &ast::VariableDeclaration<'a>) {
        match it.declare {
            true => self.blanks.blank_statement(range(it.span)),
            false => walk::walk_variable_declaration(self, it),
        }
    }

    fn visit_variable_declarator(&mut self, it: &ast::VariableDeclarator<'a>) {
        if it.definite {
            self.blanks.blank_mark(it.id.span().end, b'!');
        }
        walk::walk_variable_declarator(self, it);
    }

    fn visit_ts_type_alias_declaration(&mut self, it: &ast::TSTypeAliasDeclaration<'a>) {
        self.blanks.blank_statement(range(it.span));
    }

    fn visit_ts_interface_declaration(&mut self, it: &ast::TSInterfaceDeclaration<'a>) {
        self.blanks.blank_statement(range(it.span));
    }

    fn visit_ts_global_declaration(&mut self, it: &ast::TSGlobalDeclaration<'a>) {
        self.blanks.blank_statement(range(it.span));
    }

    fn visit_ts_external_module_declaration(
        &mut self,
        it: &ast::TSExternalModuleDeclaration<'a>,
    ) {
        self.blanks.blank_statement(range(it.span));
    }

    fn visit_ts_namespace_declaration(&mut self, it: &ast::TSNamespaceDeclaration<'a>) {
        match it.declare {
            true => self.blanks.blank_statement(range(it.span)),
            false => self.refuse(
                "a `namespace`",
                it.span,
                "write an object or a file of its own",
            ),
        }
    }

    fn visit_ts_enum_declaration(&mut self, it: &ast::TSEnumDeclaration<'a>) {
        match it.declare {
            true => self.blanks.blank_statement(range(it.span)),
            false => self.refuse(
                "an `enum`",
                it.span,
                "write an object: `const Color = { Red: 'red' } as const`",
            ),
        }
    }

    fn visit_ts_import_equals_declaration(
        &mut self,
        it: &ast::TSImportEqualsDeclaration<'a>,
    ) {
        match it.import_kind.is_type() {
            true => self.blanks.blank_statement(range(it.span)),
            false => {
                self.refuse("`import =`", it.span, "write `import { … } from './file'`");
            }
        }
    }

    fn visit_ts_export_assignment(&mut self, it: &ast::TSExportAssignment<'a>) {
        self.refuse("`export =`", it.span, "write `export { … }`");
    }

    fn visit_ts_namespace_export_declaration(
        &mut self,
        it: &ast::TSNamespaceExportDeclaration<'a>,
    ) {
        self.blanks.blank_statement(range(it.span));
    }

    fn visit_decorator(&mut self, it: &ast::Decorator<'a>) {
        self.refuse("a decorator", it.span, "call the function yourself");
    }

    // Functions.

    fn visit_function(&mut self, it: &ast::Function<'a>, flags: ScopeFlags) {
        match it.declare || it.body.is_none() {
            true => self.blanks.blank_statement(range(it.span)),
            false => {
                self.enter_function(it.span);
                walk::walk_function(self, it, flags);
                self.around.pop();
            }
        }
    }

    fn visit_ts_this_parameter(&mut self, it: &ast::TSThisParameter<'a>) {
        self.blank_item(it.span);
    }

    fn visit_arrow_function_expression(&mut self, it: &ast::ArrowFunctionExpression<'a>) {
        self.enter_function(it.span);
        walk::walk_arrow_function_expression(self, it);
        self.around.pop();
        if let Some(types) = &it.type_parameters {
            self.pull_parenthesis(types.span, it.params.span);
        }
        if let Some(types) = &it.return_type {
            self.push_parenthesis(it.params.span, types.span);
        }
        if let Some(expression) = it.body.as_expression() {
            self.check_head(expression);
        }
    }

    fn visit_formal_parameter(&mut self, it: &ast::FormalParameter<'a>) {
        if it.accessibility.is_some() || it.readonly || it.r#override {
            let help = "declare the field, and assign it in the constructor";
            self.refuse("a parameter property", it.span, help);
        }
        if it.optional {
            self.blanks.blank_mark(it.pattern.span().end, b'?');
        }
        walk::walk_formal_parameter(self, it);
    }

    // Classes.

    fn visit_class(&mut self, it: &ast::Class<'a>) {
        if it.declare {
            self.blanks.blank_statement(range(it.span));
            return;
        }
        if it.r#abstract {
            let keyword_end =
                it.id.as_ref().map_or(it.body.span.start, |id| id.span.start);
            self.blank_words(it.span.start..keyword_end, &["abstract"]);
        }
        walk::walk_class(self, it);
    }

    fn visit_ts_class_implements_list(
        &mut self,
        it: &oxc_allocator::Vec<'a, ast::TSClassImplements<'a>>,
    ) {
        let (Some(first), Some(last)) = (it.first(), it.last()) else { return };
        let before = &self.blanks.text()[..first.span.start as usize];
        if let Some(word) = before.rfind("implements") {
            self.blanks.blank(word as u32..last.span.end);
        }
    }

    fn visit_method_definition(&mut self, it: &ast::MethodDefinition<'a>) {
        if it.value.body.is_none() {
            self.blanks.blank_statement(range(it.span));
            return;
        }
        self.modifiers(it.span, it.key.span(), it.decorators.len());
        if it.optional {
            self.blanks.blank_mark(it.key.span().end + u32::from(it.computed), b'?');
        }
        walk::walk_method_definition(self, it);
    }

    fn visit_property_definition(&mut self, it: &ast::PropertyDefinition<'a>) {
        let is_abstract =
            it.r#type == ast::PropertyDefinitionType::TSAbstractPropertyDefinition;
        if it.declare || is_abstract {
            self.blanks.blank_statement(range(it.span));
            return;
        }
        self.modifiers(it.span, it.key.span(), it.decorators.len());
        let key_end = match it.computed {
            true => self.blanks.next_token(it.key.span().end) + 1,
            false => it.key.span().end,
        };
        if it.optional {
            self.blanks.blank_mark(key_end, b'?');
        }
        if it.definite {
            self.blanks.blank_mark(key_end, b'!');
        }
        walk::walk_property_definition(self, it);
        self.end_statement(it.span);
    }

    fn visit_accessor_property(&mut self, it: &ast::AccessorProperty<'a>) {
        self.refuse("an `accessor` field", it.span, "write `get` and `set`");
    }

    fn visit_ts_index_signature(&mut self, it: &ast::TSIndexSignature<'a>) {
        self.blanks.blank_statement(range(it.span));
    }

    // Modules.

    fn visit_import_expression(&mut self, it: &ast::ImportExpression<'a>) {
        if let ast::Expression::StringLiteral(from) = &it.source {
            self.imports.push(Import {
                from: from.value.to_string(),
                from_at: range(from.span),
                names: Vec::new(),
                form: ImportForm::Call,
            });
        }
        walk::walk_import_expression(self, it);
    }

    fn visit_import_declaration(&mut self, it: &ast::ImportDeclaration<'a>) {
        if it.import_kind.is_type() {
            self.blanks.blank_statement(range(it.span));
            return;
        }
        self.imports.push(modules::import(it));
        if self.part == Part::Script {
            self.blanks.blank_statement(range(it.span));
            return;
        }
        for specifier in it.specifiers.iter().flatten() {
            if modules::is_type(specifier) {
                self.blank_item(specifier.span());
            }
        }
    }

    fn visit_export_declaration(&mut self, it: &ast::ExportDeclaration<'a>) {
        modules::exported_declaration(&it.declaration, &mut self.exports);
        let has_value = match &it.declaration {
            ast::Declaration::FunctionDeclaration(f) => !f.declare && f.body.is_some(),
            ast::Declaration::ClassDeclaration(class) => !class.declare,
            ast::Declaration::VariableDeclaration(variables) => !variables.declare,
            ast::Declaration::TSEnumDeclaration(one) => !one.declare,
            ast::Declaration::TSNamespaceDeclaration(one) => !one.declare,
            ast::Declaration::TSImportEqualsDeclaration(_) => true,
            ast::Declaration::TSTypeAliasDeclaration(_)
            | ast::Declaration::TSInterfaceDeclaration(_)
            | ast::Declaration::TSExternalModuleDeclaration(_)
            | ast::Declaration::TSGlobalDeclaration(_) => false,
        };
        if !has_value {
            self.blanks.blank_statement(range(it.span));
            return;
        }
        if self.part == Part::Script {
            self.blanks.blank(it.span.start..it.declaration.span().start);
        }
        walk::walk_export_declaration(self, it);
    }

    fn visit_export_named_declaration(&mut self, it: &ast::ExportNamedDeclaration<'a>) {
        if it.export_kind.is_type() || self.part == Part::Script {
            self.blanks.blank_statement(range(it.span));
        } else {
            self.specifiers(&it.specifiers);
        }
    }

    fn visit_export_from_declaration(&mut self, it: &ast::ExportFromDeclaration<'a>) {
        if it.export_kind.is_type() {
            self.blanks.blank_statement(range(it.span));
            return;
        }
        if self.part == Part::Script {
            self.refuse(
                "`export … from`",
                it.span,
                "a script is not imported: leave it out",
            );
            return;
        }
        self.imports.push(plain_import(&it.source));
        self.specifiers(&it.specifiers);
    }

    fn visit_export_all_declaration(&mut self, it: &ast::ExportAllDeclaration<'a>) {
        if it.export_kind.is_type() {
            self.blanks.blank_statement(range(it.span));
            return;
        }
        if self.part == Part::Script {
            self.refuse("`export *`", it.span, "a script is not imported: leave it out");
            return;
        }
        self.imports.push(plain_import(&it.source));
        match &it.exported {
            Some(name) => self.exports.values.push(name.name().to_string()),
            None => self.exports.has_star = true,
        }
    }

    fn visit_export_default_declaration(
        &mut self,
        it: &ast::ExportDefaultDeclaration<'a>,
    ) {
        if let ast::ExportDefaultDeclarationKind::TSInterfaceDeclaration(_) =
            &it.declaration
        {
            self.exports.types.push("default".to_owned());
            self.blanks.blank_statement(range(it.span));
            return;
        }
        if self.part == Part::Script {
            let help = "write `return flow` at the end of the script";
            self.refuse("`export default`", it.span, help);
            return;
        }
        self.exports.values.push("default".to_owned());
        walk::walk_export_default_declaration(self, it);
    }
}

fn is_always_true(test: &ast::Expression<'_>) -> bool {
    match test {
        ast::Expression::BooleanLiteral(literal) => literal.value,
        ast::Expression::NumericLiteral(literal) => literal.value != 0.0,
        _ => false,
    }
}

fn plain_import(source: &ast::StringLiteral<'_>) -> Import {
    Import {
        from: source.value.to_string(),
        from_at: range(source.span),
        names: Vec::new(),
        form: ImportForm::Statement,
    }
}
