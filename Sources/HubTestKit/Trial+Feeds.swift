import HubDriver
import HubModel

extension Trial {
    // MARK: Paging

    /// Goes through the type while documents are made, changed and deleted.
    func paging() async throws -> String {
        guard let paging = driver as? any Paging else { throw Verdict.absent("the driver does not page") }
        var stays: [NativeKey: Held] = [:]
        var goes: [Held] = []
        for index in 0..<(options.pageSize * 3) {
            let held = try await newDocument()
            if index % 4 == 3 && canRemove { goes.append(held) } else { stays[held.document.key] = held }
        }
        var seen: [NativeKey: Int] = [:]
        var cursor: String?
        var pages = 0
        var disturbances = 0
        repeat {
            let after = cursor
            let page = try await limited("a page") { [sample, options] in
                try await paging.page(native: sample.native, company: sample.company, after: after, limit: options.pageSize)
            }
            try Verdict.require(
                page.documents.count <= options.pageSize, "a page of at most \(options.pageSize) has \(page.documents.count) documents")
            try Verdict.require(page.next == nil || page.next != after, "a page ends where it began")
            pages += 1
            try Verdict.require(pages < 20_000, "the pages do not end")
            for document in page.documents {
                seen[document.key, default: 0] += 1
                guard let held = stays[document.key] else { continue }
                let wrong = difference(held.wanted, document.fields)
                try Verdict.require(wrong.isEmpty, "a page shows an old state: \(wrong)")
            }
            cursor = page.next
            let leaving = Set(goes.map(\.document.key))
            // Whatever the order is, something moves on both sides of the place that has been reached.
            let mine = page.documents.contains { stays[$0.key] != nil || leaving.contains($0.key) }
            if cursor != nil, mine || pages <= 2, disturbances < 6 {
                try await disturb(&stays, &goes, seen)
                disturbances += 1
            }
        } while cursor != nil
        let twice = seen.filter { stays[$0.key] != nil && $0.value > 1 }
        try Verdict.require(twice.isEmpty, "\(twice.count) documents came twice: \(list(twice.keys))")
        let missed = stays.keys.filter { seen[$0] == nil }
        try Verdict.require(
            missed.isEmpty, "\(missed.count) of \(stays.count) documents that were there all the time did not come: \(list(missed))")
        return "\(seen.count) documents on \(pages) pages, changed \(disturbances) times meanwhile"
    }

    private func list(_ keys: some Sequence<NativeKey>) -> String {
        keys.sorted().prefix(5).map(\.rawValue).joined(separator: ", ")
    }

    private var canRemove: Bool { sample.remove != nil || entity.operations.contains(.delete) && entity.delete != .refuses }

    private func remove(_ held: Held) async throws {
        if let remove = sample.remove { return try await remove(held.document.key) }
        _ = try await written(deletion(held))
    }

    private func disturb(_ stays: inout [NativeKey: Held], _ goes: inout [Held], _ seen: [NativeKey: Int]) async throws {
        _ = try await newDocument()
        let (told, untold) = (stays.values.filter { seen[$0.document.key] != nil }, stays.values.filter { seen[$0.document.key] == nil })
        if updates() {
            for held in [told.first, untold.first].compactMap({ $0 }) {
                let delivery = try update(held)
                stays[held.document.key] = held.after(delivery, try await written(delivery))
            }
        }
        // Best one that has been told already: a place counted from the start moves then.
        guard let index = goes.firstIndex(where: { seen[$0.document.key] != nil }) ?? goes.indices.first else { return }
        try await remove(goes.remove(at: index))
    }

    // MARK: Capture

    /// Changes from both sides, made while changes are captured.
    func capture() async throws -> String {
        guard let capturing = driver as? any Capturing else { throw Verdict.absent("the driver does not capture") }
        var feed = Feed(position: nil)
        while try await capture(capturing, &feed) > 0 {}
        let before = feed.position
        feed.told = [:]

        let work = RunningCall { try await self.changeThings() }
        let start = ContinuousClock.now
        var expected: Expected?
        var quiet = ContinuousClock.now
        // Until everything has been told, or nothing more comes for as long as it may take.
        while true {
            let count = try await capture(capturing, &feed)
            if count > 0 { quiet = .now }
            if expected == nil, let result = await work.result(within: .milliseconds(20)) {
                expected = try result.get()
                quiet = .now
            }
            if let expected, try self.missing(expected, feed) == nil { break }
            if expected != nil, ContinuousClock.now - quiet > options.captureTime { break }
            try Verdict.require(ContinuousClock.now - start < options.captureTime + .seconds(120), "changing and capturing does not end")
            if count == 0 { try await idle() }
        }
        guard let expected else { throw Verdict.failed("the changes could not be made") }
        if let text = try missing(expected, feed) { throw Verdict.failed(text) }

        let first = try await batch(capturing, before, 3)
        let again = try await batch(capturing, before, 3)
        try Verdict.require(
            first.changes.map(\.event.key) == again.changes.map(\.event.key) && !first.changes.isEmpty,
            "the same position gave other changes the second time")
        var parts = ["\(expected.documents.count) documents of \(feed.told.count) heard complete"]
        parts.append(
            expected.deleted.isEmpty ? "no deletes made" : entity.tellsDeletes ? "deletes told" : "deletes absent, as the manifest says")
        try await walk(capturing, from: before, expecting: expected)
        try await oneByOne(capturing, &feed)
        return parts.joined(separator: "; ")
    }

    /// The same once more in the smallest steps: each position has to stand right behind what was told with it.
    private func walk(_ capturing: any Capturing, from place: String?, expecting expected: Expected) async throws {
        var feed = Feed(position: place)
        // What came and went in between need not be told to somebody who hears of it afterwards.
        let there = Expected(documents: expected.documents)
        let start = ContinuousClock.now
        var quiet = start
        while let text = try missing(there, feed) {
            try Verdict.require(
                ContinuousClock.now - quiet < options.captureTime && ContinuousClock.now - start < Self.longestWalk,
                "heard again, two changes at a time: \(text)")
            if try await capture(capturing, &feed, atMost: 2) > 0 { quiet = .now } else { try await idle() }
        }
    }

    /// Changes with nothing else in the feed, each heard from the place where the last look ended.
    private func oneByOne(_ capturing: any Capturing, _ feed: inout Feed) async throws {
        for number in 1...3 {
            let held = try await newDocument()
            let begun = ContinuousClock.now
            while let text = try missing(Expected(documents: [held]), feed) {
                try Verdict.require(
                    ContinuousClock.now - begun < max(options.captureTime, .seconds(1)) * 2,
                    "change \(number) of three, each made when the feed had been heard to its end: \(text)")
                if try await capture(capturing, &feed) == 0 { try await idle() }
            }
        }
    }

    private static let longestWalk = Duration.seconds(120)

    /// A live application has other things to do than to be asked.
    private func idle() async throws { try await Task.sleep(for: min(options.captureTime / 20, .milliseconds(200))) }

    /// What has been captured.
    private struct Feed {
        var position: String?
        var told: [NativeKey: (fields: Fields, isDeleted: Bool, reference: CanonicalID?, position: SourcePosition?)] = [:]
    }

    /// What has to be.
    private struct Expected: Sendable {
        var documents: [Held] = []
        var deleted: [NativeKey] = []
    }

    private func batch(_ capturing: any Capturing, _ position: String?, _ limit: Int) async throws -> CapturedBatch {
        let batch = try await limited("a capture") { try await capturing.capture(after: position, limit: limit) }
        let count = batch.changes.count + batch.malformed.count
        try Verdict.require(count <= limit, "a capture of at most \(limit) gave \(count) changes and entries that cannot be read")
        try Verdict.require(count == 0 || batch.position != nil, "changes came without a position behind them")
        return batch
    }

    /// - Returns: how many changes came.
    private func capture(_ capturing: any Capturing, _ feed: inout Feed, atMost limit: Int = 50) async throws -> Int {
        let batch = try await batch(capturing, feed.position, limit)
        if let position = batch.position { feed.position = position }
        var last: [NativeKey: SourcePosition] = [:]
        for change in batch.changes where change.event.type == sample.native {
            guard let key = change.event.key else { continue }
            var told = feed.told[key] ?? (Fields(), false, nil, nil)
            if let position = change.event.position {
                try Verdict.require(last[key].map { $0 <= position } ?? true, "\(key) was told at \(position) after a later position")
                last[key] = position
                // What polling tells again with an older position changes nothing, as in the hub.
                if let known = told.position, position < known { continue }
                told.position = position
            }
            told.isDeleted = change.event.operation == .delete
            told.fields = told.fields.overlaid(with: change.fields ?? Fields())
            told.reference = change.event.reference ?? told.reference
            feed.told[key] = told
        }
        return batch.changes.count
    }

    /// Documents made and changed by the driver and by people, several at once as far as the manifest allows.
    private func changeThings() async throws -> Expected {
        let lanes = min(max(1, manifest.limits.concurrentCalls), 4)
        return try await withThrowingTaskGroup(of: Expected.self) { group in
            for lane in 0..<lanes {
                group.addTask {
                    var expected = Expected()
                    for index in stride(from: lane, to: 12, by: lanes) {
                        let held = try await changedDocument(index)
                        if index % 4 == 3, canRemove {
                            try await remove(held)
                            expected.deleted.append(held.document.key)
                        } else {
                            expected.documents.append(held)
                        }
                    }
                    return expected
                }
            }
            return try await group.reduce(into: Expected()) { all, some in
                all.documents += some.documents
                all.deleted += some.deleted
            }
        }
    }

    private func changedDocument(_ index: Int) async throws -> Held {
        var held = try await newDocument()
        if updates() {
            let delivery = try update(held)
            held = held.after(delivery, try await written(delivery))
        }
        guard let edit = sample.edit, index % 2 == 0 || index == 3 else { return held }
        let edited = try await edit(held.document.key, marks.next())
        held = held.at(try await existing(held.document.key))
        held.wanted = held.wanted.overlaid(with: edited)
        return held
    }

    /// What has not been told; nil where everything has.
    private func missing(_ expected: Expected, _ feed: Feed) throws -> String? {
        for held in expected.documents {
            guard let told = feed.told[held.document.key] else { return "\(held.document.key) was never told" }
            let wrong = difference(held.wanted, told.fields)
            if !wrong.isEmpty { return "the last state of \(held.document.key) was not told: \(wrong)" }
            if told.isDeleted { return "\(held.document.key) was told deleted, and is there" }
            if entity.tellsReference, creates(), told.reference != held.reference {
                return "the reference of \(held.document.key) was told as \(told.reference?.rawValue ?? "none"), not \(held.reference)"
            }
        }
        guard entity.tellsDeletes else { return nil }
        return expected.deleted.first { feed.told[$0]?.isDeleted != true }.map { "the deletion of \($0) was not told" }
    }

    // MARK: Delete

    /// Deletes, and deletes again.
    func delete() async throws -> String {
        guard entity.operations.contains(.delete) else { throw Verdict.notApplicable("\(sample.native) takes no deletes") }
        let held = try await newDocument()
        let delivery = deletion(held)
        let ending = try await apply(delivery)
        if entity.delete == .refuses {
            guard let rejection = ending.rejection else {
                throw Verdict.failed("the application never deletes, but a delete ended as \(ending.detail)")
            }
            _ = try await existing(held.document.key)
            return "refused: \(rejection.rule)"
        }
        guard let told = ending.document else { throw Verdict.failed("a delete ended as \(ending.detail)") }
        try Verdict.require(told.isDeleted, "a delete was answered with a living document")
        let left = try await read(held.document.key)
        let found = try await living(held.reference)
        try Verdict.require(found?.isEmpty ?? true, "a deleted document is looked up as living")
        if entity.delete == .removes {
            try Verdict.require(left?.isDeleted ?? true, "the document is still there, though a delete removes it")
        } else {
            try Verdict.require(left?.isDeleted == true, "the document is \(left == nil ? "gone" : "active"), though a delete archives it")
        }
        let again = try await apply(delivery)
        switch again {
        case .answer(.gone), .answer(.unchanged), .answer(.changed): break
        case .answer(.written(let told)) where told.isDeleted: break
        default: throw Verdict.failed("a delete repeated ended as \(again.detail)")
        }
        guard updates() else { return "\(entity.delete.rawValue); repeated: \(again.text)" }
        let late = try await apply(try update(held))
        switch late {
        case .answer(.gone), .answer(.changed), .answer(.rejected): break
        default: throw Verdict.failed("an update of a deleted document ended as \(late.detail)")
        }
        return "\(entity.delete.rawValue); repeated: \(again.text); an update afterwards: \(late.text)"
    }
}
