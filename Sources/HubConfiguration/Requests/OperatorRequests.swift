import FoundationEssentials
import HubCodec
package import HubModel
package import HubRules
package import HubStore

/// The place where commands leave requests for the hub that holds the store, and find its replies: a folder beside the store.
///
/// Each file is written under another name first and then renamed, so that nobody reads half of one. The hub calls
/// ``carryOut(in:plan:now:)`` from time to time.
package struct OperatorRequests: Sendable {
    /// The hub's answer.
    package struct Reply: Sendable, Hashable {
        package var isDone: Bool
        /// What was done, or why not.
        package var text: String

        package init(isDone: Bool, text: String) {
            self.isDone = isDone
            self.text = text
        }
    }

    /// More than anybody types, and little enough to bound what a running hub reads at once.
    package static let limit = 100
    private static let requestSuffix = ".request"
    private static let takenSuffix = ".taken"
    private static let replySuffix = ".reply"

    package let folder: String

    package init(storePath: String) { folder = storePath + ".requests" }

    // MARK: The command's end

    /// Leaves a request.
    package func submit(_ request: OperatorRequest) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try write(request.value, request.id + Self.requestSuffix)
    }

    /// Waits for the reply; nil where none came in time, or the task was cancelled.
    package func reply(
        of id: String, within limit: Duration = .seconds(10), every step: Duration = .milliseconds(20)
    ) async -> Reply? {
        let end = ContinuousClock.now + limit
        repeat {
            if let reply = takeReply(id) { return reply }
            guard (try? await Task.sleep(for: step)) != nil else { break }
        } while ContinuousClock.now < end
        return takeReply(id)
    }

    /// Takes a request back that nobody has answered; false where the hub has taken it up meanwhile.
    package func withdraw(_ id: String) -> Bool {
        (try? FileManager.default.removeItem(atPath: path(id + Self.requestSuffix))) != nil
    }

    private func takeReply(_ id: String) -> Reply? {
        guard let value = value(in: id + Self.replySuffix), let isDone = value["done"]?.bool, let text = value["text"]?.text else {
            return nil
        }
        try? FileManager.default.removeItem(atPath: path(id + Self.replySuffix))
        return Reply(isDone: isDone, text: text)
    }

    // MARK: The hub's end

    /// Requests that wait, oldest first, at most ``limit``; from now on they cannot be taken back. Those that were taken before and
    /// have no reply come again, as the hub may have ended in between. A file that is no request is answered and removed.
    package func pending() -> [OperatorRequest] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return [] }
        var requests: [OperatorRequest] = []
        for name in names.sorted() where name.hasSuffix(Self.requestSuffix) || name.hasSuffix(Self.takenSuffix) {
            guard requests.count < Self.limit else { break }
            let isTaken = name.hasSuffix(Self.takenSuffix)
            let id = String(name.dropLast((isTaken ? Self.takenSuffix : Self.requestSuffix).count))
            let taken = id + Self.takenSuffix
            // Whoever renames it has it: the hub here, or the command that takes it back.
            if !isTaken, (try? FileManager.default.moveItem(atPath: path(name), toPath: path(taken))) == nil { continue }
            if let value = value(in: taken), let request = OperatorRequest(value), request.id == id {
                requests.append(request)
            } else {
                try? reply(to: id, Reply(isDone: false, text: "the hub could not read the request; is it of another version?"))
            }
        }
        return requests
    }

    /// Leaves the reply and removes the request. Replies that nobody fetched within a day go too.
    package func reply(to id: String, _ reply: Reply) throws {
        try write(["done": .bool(reply.isDone), "text": .string(reply.text)], id + Self.replySuffix)
        try? FileManager.default.removeItem(atPath: path(id + Self.takenSuffix))
        removeOldReplies()
    }

    /// Carries out what waits, each request in a transaction of its own, and answers.
    ///
    /// - Parameter own: carries out what is not the store's; nil for what is.
    /// - Returns: those that were done, so that the hub can look at their targets again.
    package func carryOut(
        in store: any Store, plan: HubPlan, now: Instant, own: (OperatorRequest.Command) async -> Reply? = { _ in nil }
    ) async -> [OperatorRequest] {
        var done: [OperatorRequest] = []
        for request in pending() {
            if let reply = await own(request.command) {
                if reply.isDone { done.append(request) }
                try? self.reply(to: request.id, reply)
                continue
            }
            let answer: Reply
            do throws(StoreError) {
                let text = try await store.perform { try request.apply(to: $0, plan: plan, now: now) }
                answer = Reply(isDone: true, text: text)
                done.append(request)
            } catch {
                answer = Reply(isDone: false, text: (error.cause as? OperatorRefusal)?.description ?? error.description)
            }
            try? reply(to: request.id, answer)
        }
        return done
    }

    private func removeOldReplies() {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return }
        let eldest = Int64(Date().timeIntervalSince1970 * 1000) - 86_400_000
        for name in names where name.hasSuffix(Self.replySuffix) {
            if let time = Int64(name.prefix { $0 != "-" }), time < eldest { try? FileManager.default.removeItem(atPath: path(name)) }
        }
    }

    // MARK: Files

    private func path(_ name: String) -> String { folder + "/" + name }

    private func write(_ value: Value, _ name: String) throws {
        try Data(value.json).write(to: URL(filePath: path(name)), options: .atomic)
    }

    private func value(in name: String) -> Value? {
        guard let data = FileManager.default.contents(atPath: path(name)) else { return nil }
        return try? JSONDocument.parse(Array(data)).value
    }
}
