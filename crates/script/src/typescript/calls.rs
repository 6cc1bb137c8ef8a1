//! The call table: where each call's name and arguments are written.
//!
//! A stack frame names one place in a call; the table turns it into the exact place of every
//! argument and option.

use oxc_ast::ast::{Argument, ArrayExpressionElement, CallExpression, Expression};
use oxc_ast::ast::{NewExpression, ObjectExpression, ObjectPropertyKind};
use oxc_span::GetSpan;

use super::{CallSite, Form, Written, range};

pub(super) fn call(call: &CallExpression<'_>) -> CallSite {
    let (name, name_at) = callee(&call.callee);
    CallSite {
        name,
        range: name_at.start..call.span.end,
        name_at: range(name_at),
        arguments: call.arguments.iter().map(argument).collect(),
    }
}

pub(super) fn new(new: &NewExpression<'_>) -> CallSite {
    let (name, name_at) = callee(&new.callee);
    CallSite {
        name,
        range: new.span.start..new.span.end,
        name_at: range(name_at),
        arguments: new.arguments.iter().map(argument).collect(),
    }
}

/// The called name, without what it belongs to.
fn callee(callee: &Expression<'_>) -> (String, oxc_span::Span) {
    match bare(callee) {
        Expression::Identifier(name) => (name.name.to_string(), name.span),
        Expression::StaticMemberExpression(member) => {
            (member.property.name.to_string(), member.property.span)
        }
        Expression::ComputedMemberExpression(member) => match &member.expression {
            Expression::StringLiteral(name) => (name.value.to_string(), name.span),
            other => (String::new(), other.span()),
        },
        other => (String::new(), other.span()),
    }
}

fn argument(argument: &Argument<'_>) -> Written {
    match argument.as_expression() {
        Some(expression) => written(expression),
        None => Written { range: range(argument.span()), form: Form::Spread },
    }
}

fn written(expression: &Expression<'_>) -> Written {
    let inner = bare(expression);
    let form = match inner {
        Expression::ObjectExpression(object) => Form::Object(properties(object)),
        Expression::ArrayExpression(list) => {
            let items = list.elements.iter().map(|element| match element {
                ArrayExpressionElement::SpreadElement(_)
                | ArrayExpressionElement::Elision(_) => None,
                element => element.as_expression().map(written),
            });
            items.collect::<Option<_>>().map_or(Form::Other, Form::List)
        }
        _ => Form::Other,
    };
    Written { range: range(inner.span()), form }
}

fn properties(
    object: &ObjectExpression<'_>,
) -> Vec<(String, std::ops::Range<u32>, Written)> {
    let properties = object.properties.iter().filter_map(|property| match property {
        ObjectPropertyKind::ObjectProperty(property) => {
            let name = property.key.static_name()?.to_string();
            Some((name, range(property.key.span()), written(&property.value)))
        }
        ObjectPropertyKind::SpreadProperty(_) => None,
    });
    properties.collect()
}

/// The expression without parentheses and types around it.
fn bare<'a, 'b>(expression: &'b Expression<'a>) -> &'b Expression<'a> {
    let mut expression = expression;
    loop {
        expression = match expression {
            Expression::ParenthesizedExpression(inner) => &inner.expression,
            Expression::TSAsExpression(inner) => &inner.expression,
            Expression::TSSatisfiesExpression(inner) => &inner.expression,
            Expression::TSNonNullExpression(inner) => &inner.expression,
            Expression::TSTypeAssertion(inner) => &inner.expression,
            Expression::TSInstantiationExpression(inner) => &inner.expression,
            other => return other,
        };
    }
}
