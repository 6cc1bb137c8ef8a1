//! What a file imports and exports.

use oxc_ast::ast::{
    BindingPattern, Declaration, ExportSpecifier, ImportDeclaration,
    ImportDeclarationSpecifier,
};
use oxc_span::GetSpan;

use super::{Exports, Import, ImportForm, ImportedName, range};

pub(super) fn import(declaration: &ImportDeclaration<'_>) -> Import {
    let specifiers = declaration.specifiers.iter().flatten();
    let names = specifiers.filter(|specifier| !is_type(specifier)).map(|specifier| {
        let imported = match specifier {
            ImportDeclarationSpecifier::ImportSpecifier(one) => {
                one.imported.name().to_string()
            }
            ImportDeclarationSpecifier::ImportDefaultSpecifier(_) => "default".to_owned(),
            ImportDeclarationSpecifier::ImportNamespaceSpecifier(_) => "*".to_owned(),
        };
        let local = specifier.local().name.to_string();
        ImportedName { imported, local, at: range(specifier.span()) }
    });
    Import {
        from: declaration.source.value.to_string(),
        from_at: range(declaration.source.span),
        names: names.collect(),
        form: ImportForm::Statement,
    }
}

pub(super) fn is_type(specifier: &ImportDeclarationSpecifier<'_>) -> bool {
    match specifier {
        ImportDeclarationSpecifier::ImportSpecifier(one) => one.import_kind.is_type(),
        ImportDeclarationSpecifier::ImportDefaultSpecifier(_)
        | ImportDeclarationSpecifier::ImportNamespaceSpecifier(_) => false,
    }
}

pub(super) fn exported_specifiers(
    specifiers: &[ExportSpecifier<'_>],
    exports: &mut Exports,
) {
    for specifier in specifiers {
        let name = specifier.exported.name().to_string();
        match specifier.export_kind.is_type() {
            true => exports.types.push(name),
            false => exports.values.push(name),
        }
    }
}

pub(super) fn exported_declaration(declaration: &Declaration<'_>, exports: &mut Exports) {
    match declaration {
        Declaration::VariableDeclaration(variables) => {
            for one in &variables.declarations {
                bound_names(&one.id, &mut exports.values);
            }
        }
        Declaration::FunctionDeclaration(function) => {
            exports.values.extend(function.id.iter().map(|id| id.name.to_string()));
        }
        Declaration::ClassDeclaration(class) => {
            exports.values.extend(class.id.iter().map(|id| id.name.to_string()));
        }
        Declaration::TSTypeAliasDeclaration(alias) => {
            exports.types.push(alias.id.name.to_string());
        }
        Declaration::TSInterfaceDeclaration(interface) => {
            exports.types.push(interface.id.name.to_string());
        }
        // Reported by the stripper: none of these can be blanked out.
        Declaration::TSEnumDeclaration(_)
        | Declaration::TSExternalModuleDeclaration(_)
        | Declaration::TSNamespaceDeclaration(_)
        | Declaration::TSGlobalDeclaration(_)
        | Declaration::TSImportEqualsDeclaration(_) => {}
    }
}

/// Every name that a pattern binds.
fn bound_names(pattern: &BindingPattern<'_>, names: &mut Vec<String>) {
    match pattern {
        BindingPattern::BindingIdentifier(id) => names.push(id.name.to_string()),
        BindingPattern::ObjectPattern(object) => {
            for property in &object.properties {
                bound_names(&property.value, names);
            }
            if let Some(rest) = &object.rest {
                bound_names(&rest.argument, names);
            }
        }
        BindingPattern::ArrayPattern(list) => {
            for element in list.elements.iter().flatten() {
                bound_names(element, names);
            }
            if let Some(rest) = &list.rest {
                bound_names(&rest.argument, names);
            }
        }
        BindingPattern::AssignmentPattern(with_default) => {
            bound_names(&with_default.left, names);
        }
    }
}
