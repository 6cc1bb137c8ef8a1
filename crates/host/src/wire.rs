//! The bytes of one client's connection: as they are, or through TLS.

use std::io::{self, IoSlice};

use bytes::BytesMut;
use tokio::net::TcpStream;

use crate::tls::{Tls, TlsStream};

/// One client's socket.
#[derive(Debug)]
pub(crate) enum Wire {
    /// Nothing in between.
    Plain(TcpStream),
    /// TLS, handshake included: it is made by reading and writing.
    Secret(Box<TlsStream>),
}

impl Wire {
    /// What a listener makes of a connection that was just taken.
    ///
    /// # Errors
    /// When there is no room for another session.
    pub(crate) fn new(stream: TcpStream, tls: Option<&Tls>) -> io::Result<Wire> {
        Ok(match tls {
            None => Wire::Plain(stream),
            Some(tls) => Wire::Secret(Box::new(TlsStream::new(stream, tls)?)),
        })
    }

    pub(crate) fn socket(&self) -> &TcpStream {
        match self {
            Wire::Plain(socket) => socket,
            Wire::Secret(stream) => stream.socket(),
        }
    }

    /// Reads what is there; 0 bytes: nothing will come any more.
    ///
    /// # Errors
    /// `WouldBlock` if nothing is there yet, `InvalidData` if what is there is no TLS.
    pub(crate) fn try_read_buf(&self, into: &mut BytesMut) -> io::Result<usize> {
        match self {
            Wire::Plain(socket) => socket.try_read_buf(into),
            Wire::Secret(stream) => stream.try_read_buf(into),
        }
    }

    /// Writes as much of these pieces as is taken.
    ///
    /// # Errors
    /// `WouldBlock` if nothing is.
    pub(crate) fn try_write_vectored(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Wire::Plain(socket) => socket.try_write_vectored(pieces),
            Wire::Secret(stream) => {
                let mut taken = 0;
                for piece in pieces {
                    match stream.try_write(piece) {
                        Ok(some) => taken += some,
                        Err(_) if taken > 0 => break,
                        Err(error) => return Err(error),
                    }
                }
                Ok(taken)
            }
        }
    }

    /// Whether there are bytes that the socket has not taken.
    pub(crate) fn is_behind(&self) -> bool {
        match self {
            Wire::Plain(_) => false,
            Wire::Secret(stream) => stream.is_behind(),
        }
    }

    /// Hands such bytes over, as far as they are taken.
    pub(crate) fn catch_up(&self) -> io::Result<()> {
        match self {
            Wire::Plain(_) => Ok(()),
            Wire::Secret(stream) => stream.catch_up(),
        }
    }

    /// Nothing will be written any more.
    pub(crate) fn say_goodbye(&self) {
        match self {
            Wire::Plain(_) => {}
            Wire::Secret(stream) => stream.say_goodbye(),
        }
    }
}
