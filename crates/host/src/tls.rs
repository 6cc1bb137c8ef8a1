//! TLS for listeners: rustls, fed by hand, so that a connection is read and written as any
//! other.
//!
//! A build without the feature `tls` has none, and says so.

use std::path::Path;

use crate::error::HostError;

/// A listener's certificate and key.
#[derive(Debug, Clone)]
pub struct Tls(imp::Config);

impl Tls {
    /// Whether this build can speak TLS at all.
    pub const IS_THERE: bool = cfg!(feature = "tls");

    /// Reads a certificate (with those that vouch for it behind it) and its key, both PEM.
    ///
    /// # Errors
    /// When one of them cannot be read, they do not belong together, or this build has no TLS.
    pub fn read(certificate: &Path, key: &Path) -> Result<Tls, HostError> {
        imp::read(certificate, key).map(Tls)
    }
}

pub(crate) use imp::TlsStream;

#[cfg(feature = "tls")]
mod imp {
    use std::cell::RefCell;
    use std::io::{self, Read, Write};
    use std::path::Path;
    use std::sync::Arc;

    use bytes::BytesMut;
    use rustls::pki_types::pem::{self, PemObject};
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::{ServerConfig, ServerConnection};
    use tokio::net::TcpStream;

    use super::{HostError, Tls};

    pub(super) type Config = Arc<ServerConfig>;

    /// A record holds no more.
    const RECORD: usize = 16 << 10;

    pub(super) fn read(certificate: &Path, key: &Path) -> Result<Config, HostError> {
        let wrong = |path: &Path, why: String| HostError::Tls { path: path.into(), why };
        let unread = |path: &Path, error: pem::Error| match error {
            pem::Error::Io(error) => HostError::file(path, error),
            pem::Error::NoItemsFound => wrong(path, "there is none in it".to_owned()),
            error => wrong(path, error.to_string()),
        };
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| unread(certificate, error))?;
        if chain.is_empty() {
            return Err(unread(certificate, pem::Error::NoItemsFound));
        }
        let private =
            PrivateKeyDer::from_pem_file(key).map_err(|error| unread(key, error))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|it| it.with_no_client_auth().with_single_cert(chain, private))
            .map(Arc::new)
            .map_err(|error| wrong(key, error.to_string()))
    }

    /// One client's socket, and its TLS session.
    #[derive(Debug)]
    pub(crate) struct TlsStream {
        socket: TcpStream,
        session: RefCell<ServerConnection>,
    }

    /// A socket, as rustls wants to have it.
    struct Raw<'a>(&'a TcpStream);

    impl Read for Raw<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0.try_read(into)
        }
    }

    impl Write for Raw<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.try_write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl TlsStream {
        pub(crate) fn new(socket: TcpStream, tls: &Tls) -> io::Result<TlsStream> {
            let session =
                ServerConnection::new(tls.0.clone()).map_err(io::Error::other)?;
            Ok(TlsStream { socket, session: RefCell::new(session) })
        }

        pub(crate) fn socket(&self) -> &TcpStream {
            &self.socket
        }

        pub(crate) fn try_read_buf(&self, into: &mut BytesMut) -> io::Result<usize> {
            let mut session = self.session.borrow_mut();
            let mut plain = [0; RECORD];
            loop {
                match session.reader().read(&mut plain) {
                    Ok(read) => {
                        into.extend_from_slice(&plain[..read]);
                        return Ok(read);
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    // It is gone, without a word.
                    Err(_) => return Ok(0),
                }
                if session.read_tls(&mut Raw(&self.socket))? == 0 {
                    return Ok(0);
                }
                let outcome = session.process_new_packets();
                // What the handshake says, or why there will be none.
                let written = write(&mut session, &self.socket);
                outcome
                    .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
                written?;
            }
        }

        pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
            let mut session = self.session.borrow_mut();
            write(&mut session, &self.socket)?;
            let taken = session.writer().write(bytes)?;
            if taken == 0 && !bytes.is_empty() {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            write(&mut session, &self.socket)?;
            Ok(taken)
        }

        pub(crate) fn is_behind(&self) -> bool {
            self.session.borrow().wants_write()
        }

        pub(crate) fn catch_up(&self) -> io::Result<()> {
            write(&mut self.session.borrow_mut(), &self.socket)
        }

        pub(crate) fn say_goodbye(&self) {
            self.session.borrow_mut().send_close_notify();
            // Nobody is to be told if it does not go out.
            let _ = self.catch_up();
        }
    }

    /// Hands over what the session has to say, as far as the socket takes it.
    fn write(session: &mut ServerConnection, socket: &TcpStream) -> io::Result<()> {
        while session.wants_write() {
            match session.write_tls(&mut Raw(socket)) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(not(feature = "tls"))]
mod imp {
    use std::convert::Infallible;
    use std::io;
    use std::path::Path;

    use bytes::BytesMut;
    use tokio::net::TcpStream;

    use super::{HostError, Tls};

    pub(super) type Config = Infallible;

    pub(super) fn read(certificate: &Path, _: &Path) -> Result<Config, HostError> {
        let why = "this build has no TLS".to_owned();
        Err(HostError::Tls { path: certificate.into(), why })
    }

    /// There is none.
    #[derive(Debug)]
    pub(crate) struct TlsStream(Infallible);

    impl TlsStream {
        pub(crate) fn new(_: TcpStream, tls: &Tls) -> io::Result<TlsStream> {
            match tls.0 {}
        }

        pub(crate) fn socket(&self) -> &TcpStream {
            match self.0 {}
        }

        pub(crate) fn try_read_buf(&self, _: &mut BytesMut) -> io::Result<usize> {
            match self.0 {}
        }

        pub(crate) fn try_write(&self, _: &[u8]) -> io::Result<usize> {
            match self.0 {}
        }

        pub(crate) fn is_behind(&self) -> bool {
            match self.0 {}
        }

        pub(crate) fn catch_up(&self) -> io::Result<()> {
            match self.0 {}
        }

        pub(crate) fn say_goodbye(&self) {
            match self.0 {}
        }
    }
}
