//! Who may connect to a cluster that is served, and do what.

use std::path::PathBuf;

use clap::Args;
use topomotion_host::{Mechanism, User};

/// Who may connect to a cluster that is served. Without any of it everybody may.
#[derive(Debug, Args)]
#[command(next_help_heading = "Security")]
pub struct Access {
    /// Somebody who may log in (may be repeated); everybody has to, then. Whoever may list this
    /// machine's processes sees it: see --users
    #[arg(long = "user", value_name = "NAME:PASSWORD")]
    pub user: Vec<User>,
    /// A file of them, one NAME:PASSWORD a line
    #[arg(long, value_name = "FILE")]
    pub users: Option<PathBuf>,
    /// How they log in: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 [default: as they like]
    #[arg(long, value_name = "MECHANISMS", value_delimiter = ',')]
    pub sasl: Vec<Mechanism>,
    /// Do for nobody what no ACL allows; `kafka-acls.sh` and its like administer them
    #[arg(long)]
    pub acls: bool,
    /// Somebody who may do everything all the same: a name, or ANONYMOUS for whoever did not log
    /// in (may be repeated)
    #[arg(long, value_name = "NAME", requires = "acls")]
    pub super_user: Vec<String>,
    /// The listeners' certificate, with those that vouch for it behind it (PEM); turns TLS on
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
}
