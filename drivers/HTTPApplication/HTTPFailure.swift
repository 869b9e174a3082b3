package import HubDriver

/// Why there is no usable answer, and whether the request may have had an effect: what a driver has to know above all.
package struct HTTPFailure: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        /// The request never arrived whole: no name, no connection, no handshake, or no time left before the body was sent.
        case unreachable
        /// The request was sent, at least in part, and no whole answer came.
        case noAnswer
        /// An answer came that cannot be used: longer than allowed, or badly encoded.
        case unusable
    }

    package var kind: Kind
    /// For people: what was tried and what happened.
    package var message: String
    package var cause: (any Error)?

    package init(_ kind: Kind, _ message: String, cause: (any Error)? = nil) {
        self.kind = kind
        self.message = message
        self.cause = cause
    }

    package var description: String { message }

    /// False where the request surely had no effect.
    package var mayHaveEffect: Bool { kind != .unreachable }

    /// The same as the hub's error.
    package var driverError: DriverError {
        switch kind {
        case .unreachable: DriverError(.unreachable, message, cause: cause)
        case .noAnswer: DriverError(.noAnswer, message, cause: cause)
        case .unusable: DriverError(.protocolViolation, message, cause: cause)
        }
    }
}
