package import HubModel

/// What a running hub tells whoever watches it; called from its threads, must not block.
package struct RuntimeEvents: Sendable {
    /// A delivery was written: how long after the inbound record's own time.
    package var delivered: @Sendable (ApplicationID, Duration) -> Void = { _, _ in }
    /// An application was lost or is back.
    package var reachable: @Sendable (ApplicationID, Bool) -> Void = { _, _ in }

    package init() {}
}

/// Why a hub cannot start, or had to stop.
package struct RuntimeError: Error, Sendable, CustomStringConvertible {
    package struct Code: Sendable, Hashable {
        package var name: String
        /// Something in the configuration or the state of things needs a person.
        package static let refused = Code(name: "refused")
        /// The bus or the store cannot be reached or used.
        package static let unreachable = Code(name: "unreachable")
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
