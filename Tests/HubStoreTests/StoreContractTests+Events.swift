import HubModel
import HubStore
import Testing

extension StoreContractTests {
    // MARK: Waiting events

    @Test(arguments: StoreKind.all) func anEventThatAwaitsALinkIsReleasedByIt(_ kind: StoreKind) throws {
        try kind.run { store in
            let awaited = NativeReference(crm, customer, "C")
            let document = NativeReference(crm, order, "O")
            let other = NativeReference(crm, order, "P")
            try store.write { (tx) throws in
                try tx.append(event(document, .link(awaited), value: "1"))
                try tx.append(event(document, .turn, value: "2"))
                try tx.append(event(other, .link(NativeReference(erp, customer, "C")), value: "3"))
                #expect(try tx.isWaiting(document))
                #expect(try !tx.isWaiting(awaited))
                #expect(try tx.releasable(limit: 10) == [])
            }
            try store.write { (tx) throws in
                try tx.putLink(awaited, "customer-1-1")
                let ready = try tx.releasable(limit: 10)
                #expect(ready.map { $0.record.value ?? [] } == [Array("1".utf8)])
                #expect(ready.first?.awaits == .link(awaited))
                #expect(ready.first?.document == document)
                try tx.removeWaiting(ready.first?.sequence ?? 0)
                // Then the one behind it has its turn.
                #expect(try tx.nextWaiting(document)?.awaits == .turn)
                let next = try tx.releasable(limit: 10)
                #expect(next.map { $0.record.value ?? [] } == [Array("2".utf8)])
                try tx.removeWaiting(next.first?.sequence ?? 0)
                #expect(try !tx.isWaiting(document))
                #expect(try tx.nextWaiting(document) == nil)
                #expect(try tx.releasable(limit: 10) == [])
                #expect(try tx.waitingEvents(after: 0, limit: 10).map(\.document) == [other])
            }
        }
    }

    @Test(arguments: StoreKind.all) func anEventWhoseLinkIsThereAlreadyIsReleasableAtOnce(_ kind: StoreKind) throws {
        try kind.run { store in
            try store.write { (tx) throws in
                try tx.putLink(.init(crm, customer, "C"), "customer-1-1")
                try tx.append(event(.init(crm, order, "1"), .link(.init(crm, customer, "C"))))
                try tx.append(event(.init(crm, order, "2"), .intents(crm, order)))
                try tx.append(event(.init(crm, order, "3"), .turn))
            }
            try store.write { (tx) throws in
                #expect(try tx.releasable(limit: 10).map(\.document.key) == ["1", "2", "3"])
                #expect(try tx.releasable(limit: 2).map(\.document.key) == ["1", "2"])
            }
        }
    }

    @Test(arguments: StoreKind.all) func onlyTheFirstOfADocumentIsReleased(_ kind: StoreKind) throws {
        try kind.run { store in
            let document = NativeReference(crm, order, "O")
            try store.write { (tx) throws in
                try tx.append(event(document, .link(.init(crm, customer, "missing"))))
                try tx.append(event(document, .link(.init(crm, customer, "C"))))
                try tx.putLink(.init(crm, customer, "C"), "customer-1-1")
                #expect(try tx.releasable(limit: 10) == [])
                var first = try #require(try tx.nextWaiting(document))
                first.awaits = .intents(crm, order)
                try tx.update(first)
                #expect(try tx.releasable(limit: 10).map(\.sequence) == [first.sequence])
                first.awaits = .link(.init(crm, customer, "missing too"))
                first.since = at(77)
                try tx.update(first)
                #expect(try tx.releasable(limit: 10) == [])
                #expect(try tx.nextWaiting(document) == first)
                try tx.removeWaiting(first.sequence)
                #expect(try tx.releasable(limit: 10).map(\.awaits) == [.link(.init(crm, customer, "C"))])
            }
        }
    }

    @Test(arguments: StoreKind.all) func anEventThatMayBeAnEchoWaitsForTheCreatesSentBeforeIt(_ kind: StoreKind) throws {
        try kind.run { store in
            let first = Target(crm, "c-1")
            let second = Target(crm, "c-2")
            try store.write { (tx) throws in
                try tx.put(intentState(sent: 10), first, customer)
                try tx.append(event(.init(crm, customer, "X"), .intents(crm, customer), since: 20))
                #expect(try tx.releasable(limit: 9) == [])
                try tx.put(intentState(sent: 15), second, customer)
                try tx.put(TargetState(), first, customer)
                #expect(try tx.releasable(limit: 9) == [])
            }
            try store.write { (tx) throws in
                // A create sent after the event arrived cannot be what it tells of.
                try tx.put(intentState(sent: 21), first, customer)
                try tx.put(TargetState(), second, customer)
                #expect(try tx.releasable(limit: 9).map(\.document.key) == ["X"])
                // One sent at the very time can.
                try tx.put(intentState(sent: 20), second, customer)
                #expect(try tx.releasable(limit: 9) == [])
                var resolved = try tx.target(second)
                resolved.key = "2"
                try tx.put(resolved, second, customer)
                #expect(try tx.releasable(limit: 9).map(\.document.key) == ["X"])
            }
        }
    }

    @Test(arguments: StoreKind.all) func waitingEventsKeepTheirRecordUntouched(_ kind: StoreKind) throws {
        try kind.run { store in
            let records = [
                Record(topic: "t", partition: 7, offset: 1 << 40, timestamp: nil, key: nil, value: nil),
                Record(topic: "t", partition: 7, offset: 0, timestamp: -1, key: [], value: [], headers: [.init(name: "", value: nil)]),
                Record(
                    topic: "t", offset: 5, timestamp: 5, key: [0, 255, 128], value: [0xC3, 0x28, 0, 34],
                    headers: [
                        .init("a", "text \"\u{0} é"), .init(name: "a", value: [255, 0]), .init(name: "b", value: []), .init("hex", "00"),
                    ]),
            ]
            try store.write { (tx) throws in
                for (place, record) in records.enumerated() {
                    let document = NativeReference(crm, order, NativeKey("\(place)"))
                    try tx.append(WaitingEvent(document: document, awaits: .turn, record: record, since: at(3)))
                    try tx.append(OutboxRow(record: record))
                    _ = try tx.append(DeadLetter(application: nil, record: record, code: "c", reason: "r", time: at(2)))
                }
            }
            try store.write { (tx) throws in
                #expect(try tx.waitingEvents(after: 0, limit: 10).map(\.record) == records)
                #expect(try tx.outbox(after: 0, limit: 10).map(\.record) == records)
                #expect(try tx.deadLetters(after: 0, limit: 10, includeReplayed: false).map(\.record) == records)
                #expect(try tx.waitingEvents(after: 1, limit: 1).map(\.sequence) == [2])
            }
        }
    }

    // MARK: Outbox

    @Test(arguments: StoreKind.all) func theOutboxKeepsOrderAndNeverReusesASequence(_ kind: StoreKind) throws {
        try kind.run { store in
            try store.write { (tx) throws in for number in 1...20 { try tx.append(outboxRow("\(number)")) } }
            try store.write { (tx) throws in
                let rows = try tx.outbox(after: 0, limit: 100)
                #expect(rows.map { String(decoding: $0.record.value ?? [], as: UTF8.self) } == (1...20).map { "\($0)" })
                #expect(rows.map(\.sequence) == rows.map(\.sequence).sorted())
                #expect(try tx.outbox(after: rows[4].sequence, limit: 3) == Array(rows[5..<8]))
                try tx.clearOutbox(through: rows[9].sequence)
                #expect(try tx.outbox(after: 0, limit: 2) == Array(rows[10..<12]))
                try tx.clearOutbox(through: rows[19].sequence)
                #expect(try tx.outbox(after: 0, limit: 100) == [])
                try tx.append(outboxRow("again"))
                #expect(try tx.outbox(after: rows[19].sequence, limit: 9).count == 1)
                #expect(try tx.outbox(after: 0, limit: 0) == [])
            }
        }
    }

    // MARK: Ends

    @Test(arguments: StoreKind.all) func deadLettersAreListedUntilReplayed(_ kind: StoreKind) throws {
        try kind.run { store in
            let letters = [
                DeadLetter(application: crm, record: Record(topic: "t", value: [1]), code: "schema", reason: "no name", time: at(1)),
                DeadLetter(
                    application: erp, target: Target(erp, "fr", "c-1"), version: Version(generation: 2, number: 5), code: "attempts",
                    reason: "é\0",
                    time: at(2)),
                DeadLetter(application: nil, code: "broken-json", reason: "", time: at(3)),
            ]
            let ids = try store.write { (tx) throws in
                var ids: [Int64] = []
                for letter in letters { ids.append(try tx.append(letter)) }
                return ids
            }
            try store.write { (tx) throws in
                var expected = letters
                for place in expected.indices { expected[place].id = ids[place] }
                #expect(try tx.deadLetters(after: 0, limit: 10, includeReplayed: false) == expected)
                #expect(try tx.deadLetter(ids[1]) == expected[1])
                try tx.markReplayed(ids[1], at: at(9))
                try tx.markReplayed(12345, at: at(9))
                #expect(try tx.deadLetters(after: 0, limit: 10, includeReplayed: false).map(\.id) == [ids[0], ids[2]])
                #expect(try tx.deadLetters(after: ids[0], limit: 1, includeReplayed: true).map(\.replayed) == [at(9)])
                #expect(try tx.deadLetter(12345) == nil)
            }
        }
    }

    @Test(arguments: StoreKind.all) func conflictsAndAlarms(_ kind: StoreKind) throws {
        try kind.run { store in
            let refused: Value = ["a": [1, .null, "x\u{0}"], "n": .number(Number(1, scale: 2))]
            try store.write { (tx) throws in
                for rule in ["owner", "older"] {
                    try tx.append(
                        Conflict(
                            document: "c-1", field: "f", application: crm, refused: refused, kept: rule == "older" ? .null : nil,
                            winner: erp,
                            rule: rule, event: "e", time: at(4)))
                }
                for text in ["same", "same", "é", "e\u{301}"] {
                    for application in [crm, nil] {
                        for document in ["c-1" as CanonicalID, nil] {
                            try tx.append(Alarm(code: "ambiguous", application: application, document: document, text: text, time: at(5)))
                        }
                    }
                }
                try tx.append(Alarm(code: "disputed", application: crm, document: "c-1", text: "same", time: at(6)))
            }
            try store.write { (tx) throws in
                let conflicts = try tx.conflicts(after: 0, limit: 10)
                #expect(conflicts.map(\.rule) == ["owner", "older"])
                #expect(conflicts.map(\.kept) == [nil, .null])
                #expect(conflicts.allSatisfy { $0.refused == refused && $0.winner == erp && $0.time == at(4) })
                #expect(try tx.conflicts(after: conflicts[0].id, limit: 1).map(\.rule) == ["older"])
                // The same text about the same document is kept once, across transactions too.
                try tx.append(Alarm(code: "ambiguous", application: crm, document: "c-1", text: "same", time: at(7)))
                let alarms = try tx.alarms(after: 0, limit: 100)
                #expect(alarms.count == 13)
                #expect(alarms.last?.code == "disputed")
                #expect(try tx.alarms(after: alarms[11].id, limit: 5) == [alarms[12]])
                // Those of the application alone, about no document; told again, it is a new one.
                try tx.clearAlarms("ambiguous", of: crm, except: ["same", "e\u{301}"])
                let left = try tx.alarms(after: 0, limit: 100)
                #expect(left == alarms.filter { $0.application != crm || $0.document != nil || !$0.text.utf8.elementsEqual("é".utf8) })
                #expect(left.count == 12)
                try tx.clearAlarms("disputed", of: crm, except: [])
                try tx.append(Alarm(code: "ambiguous", application: crm, document: nil, text: "é", time: at(8)))
                #expect(try tx.alarms(after: 0, limit: 100).count == 13)
            }
        }
    }

    @Test(arguments: StoreKind.all) func endsAreCounted(_ kind: StoreKind) throws {
        try kind.run { store in
            for _ in 0..<2 {
                try store.write { (tx) throws in
                    try tx.count(.accepted, topic: "crm.customer", by: 2)
                    try tx.count(.echo, topic: "crm.customer", by: 1)
                    try tx.count(.dead, topic: "a.b", by: 5)
                    try tx.count(.written, application: erp, by: 1)
                    try tx.count(.rejected, application: crm, by: 3)
                }
            }
            try store.write { (tx) throws in
                let ends = try tx.eventEnds()
                #expect(
                    ends.map { "\($0.topic) \($0.end) \($0.count)" } == ["a.b dead 10", "crm.customer accepted 4", "crm.customer echo 2"])
                #expect(try tx.outcomeCounts().map { "\($0.application) \($0.kind) \($0.count)" } == ["crm rejected 6", "erp written 2"])
            }
        }
    }
}
