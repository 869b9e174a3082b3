/// Why bytes are not a JSON document that the hub reads.
package struct JSONError: Error, Hashable, CustomStringConvertible {
    /// The byte, counted from 0, at which reading stopped.
    package var offset: Int
    /// The line of that byte, counted from 1.
    package var line: Int
    /// What is wrong, in words for people, the place included.
    package var reason: String

    package init(offset: Int, line: Int, reason: String) {
        self.offset = offset
        self.line = line
        self.reason = reason
    }

    package var description: String { reason }
}
