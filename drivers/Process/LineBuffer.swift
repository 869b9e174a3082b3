/// Cuts a stream of bytes into lines of bounded length.
struct LineBuffer: Sendable {
    private var bytes: [UInt8] = []
    /// Before this there is no line break.
    private var scanned = 0
    let limit: Int

    init(limit: Int) { self.limit = limit }

    mutating func append(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    /// The next whole line, without its break; nil where there is none yet.
    mutating func line() -> [UInt8]? {
        guard let end = bytes[scanned...].firstIndex(of: 0x0A) else {
            scanned = bytes.count
            return nil
        }
        var line = bytes[..<end]
        if line.last == 0x0D { line.removeLast() }
        let result = Array(line)
        bytes.removeSubrange(...end)
        scanned = 0
        return result
    }

    /// True where a whole line is there.
    var hasLine: Bool { bytes[scanned...].contains(0x0A) }

    /// True where the line that has begun is longer than allowed.
    var isTooLong: Bool { bytes.count > limit }

    /// Takes what has come of a line that will not be awaited any longer.
    mutating func rest() -> [UInt8] {
        defer {
            bytes = []
            scanned = 0
        }
        return bytes
    }
}

/// Bytes from outside as one printable line, cut to a bounded length: for messages and logs.
func excerpt(_ bytes: some Collection<UInt8>, _ limit: Int = 200) -> String {
    let text = String(decoding: bytes.prefix(limit), as: UTF8.self)
    let clean = String(
        text.unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control ? " " : Character(scalar)
        })
    return bytes.count > limit ? clean + "…" : clean
}
