import Foundation

/// Reads a file or standard input line by line, holding one chunk and one line at a time.
struct LineReader {
    /// The longest line taken; more is no record that any broker would take.
    static let maxLine = 64 << 20

    private let handle: FileHandle
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false
    /// The line last read, counted from 1.
    private(set) var number = 0
    /// Bytes taken from the file so far.
    private(set) var bytesRead = 0
    /// The file's size; nil for a pipe.
    let size: Int?

    /// `-` (or nil) is standard input.
    init(_ path: String?) throws(CommandFailure) {
        guard let path, path != "-" else {
            handle = .standardInput
            size = nil
            return
        }
        guard let handle = FileHandle(forReadingAtPath: path) else { throw CommandFailure(.wrong, "\(path) cannot be read") }
        self.handle = handle
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        size = attributes?[.type] as? FileAttributeType == .typeRegular ? attributes?[.size] as? Int : nil
    }

    /// The next line without its end; nil after the last. Blank lines come too.
    mutating func next() throws(CommandFailure) -> ArraySlice<UInt8>? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: 0x0A) {
                defer { start = end + 1 }
                number += 1
                return trimmed(buffer[start..<end])
            }
            guard !isAtEnd else {
                guard start < buffer.count else { return nil }
                defer { start = buffer.count }
                number += 1
                return trimmed(buffer[start...])
            }
            guard buffer.count - start <= Self.maxLine else {
                throw CommandFailure(.wrong, "line \(number + 1) is longer than \(Self.maxLine >> 20) MB")
            }
            searched = buffer.count - start
            buffer.removeSubrange(..<start)
            start = 0
            do {
                if let data = try handle.read(upToCount: 1 << 18), !data.isEmpty {
                    bytesRead += data.count
                    buffer.append(contentsOf: data)
                } else {
                    isAtEnd = true
                }
            } catch {
                throw CommandFailure(.wrong, "reading failed after line \(number): \(error)")
            }
        }
    }

    private func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> { line.last == 0x0D ? line.dropLast() : line }
}
