//! HTTP as messages: what the processes around Kafka say to each other.
//!
//! Bodies are text. HTTP/1.1 pairs answers with questions by their order alone; the
//! correlation does it here, and takes no room on the wire.

use std::fmt;

use crate::CorrelationId;

/// What is asked of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HttpMethod {
    /// Read it.
    Get,
    /// Add to it, or have it work.
    Post,
    /// Set it.
    Put,
    /// Remove it.
    Delete,
}

/// A request to an HTTP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// Pairs it with its response.
    pub correlation: CorrelationId,
    /// What is asked.
    pub method: HttpMethod,
    /// Of which resource: `/subjects/orders-value/versions?normalize=true`.
    pub path: String,
    /// What goes along; empty if nothing does.
    pub body: String,
}

/// What an HTTP server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// That of the request it answers.
    pub correlation: CorrelationId,
    /// How it went: 200, 404.
    pub status: u16,
    /// What came of it; empty if nothing did.
    pub body: String,
}

impl HttpMethod {
    /// As it stands on the wire: `POST`.
    pub const fn name(self) -> &'static str {
        match self {
            HttpMethod::Get => "GET",
            HttpMethod::Post => "POST",
            HttpMethod::Put => "PUT",
            HttpMethod::Delete => "DELETE",
        }
    }

    /// The method of this name.
    pub fn named(name: &str) -> Option<HttpMethod> {
        let all =
            [HttpMethod::Get, HttpMethod::Post, HttpMethod::Put, HttpMethod::Delete];
        all.into_iter().find(|method| method.name() == name)
    }
}

impl fmt::Display for HttpMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl HttpResponse {
    /// Whether the server did what it was asked.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_found_by_its_name() {
        assert_eq!(HttpMethod::named("PUT"), Some(HttpMethod::Put));
        assert_eq!(HttpMethod::named("put"), None);
        assert_eq!(HttpMethod::Delete.to_string(), "DELETE");
    }
}
