import Foundation
import HubDriver

/// A file's bytes one after another, with the place reached and a digest of all before it.
///
/// `@unchecked Sendable` because it is used inside a transaction on the folder's record only, of which there is one at a time.
final class ByteSource: @unchecked Sendable {
    /// Bytes before the next one.
    private(set) var offset: Int64 = 0
    /// Of the bytes before the next one: by it a file is known again whose reading was interrupted.
    private(set) var digest = Digest()
    private let descriptor: Int32
    private let path: String
    private var buffer: [UInt8]
    private var place = 0
    private var filled = 0

    private static let bufferSize = 1 << 16

    init(path: String) throws(DurableFile.Failure) {
        self.path = path
        buffer = [UInt8](repeating: 0, count: Self.bufferSize)
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DurableFile.Failure("\(path) cannot be opened") }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// The next byte, left where it is; nil at the end.
    func peek() throws(DurableFile.Failure) -> UInt8? {
        if place == filled { try fill() }
        return place < filled ? buffer[place] : nil
    }

    /// The next byte; nil at the end.
    func next() throws(DurableFile.Failure) -> UInt8? {
        guard let byte = try peek() else { return nil }
        place += 1
        offset += 1
        digest.add(byte)
        return byte
    }

    /// True where these bytes come next; asked at the start, where the buffer holds more than any mark.
    func begins(with mark: [UInt8]) throws(DurableFile.Failure) -> Bool {
        _ = try peek()
        return buffer[place..<filled].starts(with: mark)
    }

    /// Goes on to that place; false where the file ends before it.
    func skip(to target: Int64) throws(DurableFile.Failure) -> Bool {
        while offset < target { if try next() == nil { return false } }
        return offset == target
    }

    private func fill() throws(DurableFile.Failure) {
        place = 0
        filled = 0
        while true {
            let count = buffer.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw DurableFile.Failure("\(path) cannot be read") }
            filled = count
            return
        }
    }
}

extension DurableFile.Failure {
    /// It lies with that one file until somebody mends it, and neither with the disk nor with what the system has left.
    var isOfTheFile: Bool { [EACCES, EPERM, ELOOP, EISDIR].contains(number) }
}
