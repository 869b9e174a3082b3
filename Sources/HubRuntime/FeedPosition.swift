import Foundation
import HubDriver

/// How far a feed has been published, in a file that outlives a power cut: what it says has been published for sure.
struct FeedPosition: Sendable {
    /// Behind the last change that Kafka has; nil before the first.
    private(set) var reached: String?
    private let path: String
    private var saved: String?
    private var savedAt: ContinuousClock.Instant?

    /// A position that moved without a change is saved this often: it is worth a moment's reading again, not a write to the disk for each
    /// look at an idle feed.
    private static let idleInterval = Duration.seconds(1)

    /// Reads the file; there is none before the first change.
    init(path: String) throws {
        self.path = path
        guard FileManager.default.fileExists(atPath: path) else { return }
        reached = String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
        saved = reached
    }

    /// Kafka has everything up to there.
    ///
    /// - Parameter published: changes lay before it, which would otherwise be published again after a crash.
    mutating func move(to position: String, published: Bool, now: ContinuousClock.Instant = .now) throws(DurableFile.Failure) {
        reached = position
        if published || savedAt.map({ now - $0 >= Self.idleInterval }) ?? true { try save(now: now) }
    }

    /// Brings to the disk what is not there yet.
    mutating func save(now: ContinuousClock.Instant = .now) throws(DurableFile.Failure) {
        guard let reached, reached != saved else { return }
        try DurableFile.replace(path, with: Array(reached.utf8))
        saved = reached
        savedAt = now
    }
}
