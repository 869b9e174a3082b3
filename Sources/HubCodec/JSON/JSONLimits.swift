/// What ``JSONDocument/parse(_:limits:)`` refuses to read on, so that no input costs more than its size.
package struct JSONLimits: Sendable, Hashable {
    /// The longest document, in bytes. Never more than 256 MiB, whatever is set: places are kept in 28 bits.
    package var maxBytes: Int
    /// How many arrays and objects may stand inside each other.
    package var maxDepth: Int

    package init(maxBytes: Int = 4 << 20, maxDepth: Int = 128) {
        self.maxBytes = Swift.min(maxBytes, 1 << 28 - 16)
        self.maxDepth = maxDepth
    }
}
