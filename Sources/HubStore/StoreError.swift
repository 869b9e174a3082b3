/// Why the store could not do what it was asked.
package struct StoreError: Error, Sendable, CustomStringConvertible {
    package struct Code: Sendable, Hashable, CustomStringConvertible {
        package var description: String
        /// Another process holds the store.
        package static let held = Code(description: "held")
        /// The file is not a store, or is damaged.
        package static let corrupt = Code(description: "corrupt")
        /// No room left on the disk.
        package static let full = Code(description: "full")
        /// A newer holder has the assignment: what this one decides does not count any more.
        package static let fenced = Code(description: "fenced")
        /// Made by a newer version of the hub.
        package static let newer = Code(description: "newer")
        /// The transaction's own body failed; `cause` is its error.
        package static let body = Code(description: "body")
        /// Closed, or gone.
        package static let closed = Code(description: "closed")
        /// Anything else that the database said.
        package static let failed = Code(description: "failed")
    }

    package var code: Code
    /// For the person who reads it: what, where, what to do.
    package var message: String
    package var cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String { "\(message) (store: \(code))" }
}
