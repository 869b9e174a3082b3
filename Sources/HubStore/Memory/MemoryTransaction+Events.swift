import HubModel

extension MemoryTransaction {
    // MARK: Waiting events

    func append(_ event: WaitingEvent) {
        var event = event
        event.sequence = state.next("waiting event")
        state.waitingEvents[event.sequence] = event
        state.queues[event.document] = (state.queues[event.document] ?? []) + [event.sequence]
    }

    func isWaiting(_ document: NativeReference) -> Bool { state.queues[document] != nil }

    func nextWaiting(_ document: NativeReference) -> WaitingEvent? {
        state.queues[document]?.first.flatMap { state.waitingEvents[$0] }
    }

    func releasable(limit: Int) -> [WaitingEvent] {
        guard !state.queues.rows.isEmpty else { return [] }
        let ready = state.queues.rows.values.compactMap { $0.first.flatMap { state.waitingEvents[$0] } }.filter { event in
            switch event.awaits {
            case .turn: true
            case .link(let reference): link(reference) != nil
            case .intents(let application, let entity): !hasIntents(application, entity, sentBy: event.since)
            }
        }
        return Array(ready.sorted { $0.sequence < $1.sequence }.prefix(max(0, limit)))
    }

    func update(_ event: WaitingEvent) {
        guard var stored = state.waitingEvents[event.sequence] else { return }
        stored.awaits = event.awaits
        stored.since = event.since
        state.waitingEvents[event.sequence] = stored
    }

    func removeWaiting(_ sequence: Int64) {
        guard let event = state.waitingEvents[sequence] else { return }
        state.waitingEvents[sequence] = nil
        let rest = (state.queues[event.document] ?? []).filter { $0 != sequence }
        state.queues[event.document] = rest.isEmpty ? nil : rest
    }

    func waitingEvents(after: Int64, limit: Int) -> [WaitingEvent] {
        state.waitingEvents.keys(after: after).prefix(max(0, limit)).compactMap { state.waitingEvents[$0] }
    }

    // MARK: Outbox

    func append(_ row: OutboxRow) {
        let sequence = state.next("outbox")
        state.outbox[sequence] = OutboxRow(sequence: sequence, record: row.record)
    }

    func outbox(after: Int64, limit: Int) -> [OutboxRow] {
        state.outbox.keys(after: after).prefix(max(0, limit)).compactMap { state.outbox[$0] }
    }

    func clearOutbox(through: Int64) {
        for sequence in state.outbox.keys(after: nil).prefix(while: { $0 <= through }) { state.outbox[sequence] = nil }
    }

    // MARK: Ends

    func append(_ letter: DeadLetter) -> Int64 {
        var letter = letter
        letter.id = state.next("dead letter")
        state.deadLetters[letter.id] = letter
        return letter.id
    }

    func append(_ conflict: Conflict) {
        var conflict = conflict
        conflict.id = state.next("conflict")
        state.conflicts[conflict.id] = conflict
    }

    func append(_ alarm: Alarm) {
        let key = MemoryState.AlarmKey(
            code: ExactText(alarm.code), text: ExactText(alarm.text), application: alarm.application, document: alarm.document)
        guard state.alarmKeys[key] == nil else { return }
        var alarm = alarm
        alarm.id = state.next("alarm")
        state.alarms[alarm.id] = alarm
        state.alarmKeys[key] = alarm.id
    }

    func clearAlarms(_ code: String, of application: ApplicationID, except texts: [String]) {
        let kept = Set(texts.map { ExactText($0) })
        for (key, id) in state.alarmKeys.rows
        where key.code == ExactText(code) && key.application == application && key.document == nil && !kept.contains(key.text) {
            state.alarms[id] = nil
            state.alarmKeys[key] = nil
        }
    }

    func count(_ end: EventEnd, topic: String, by count: Int) {
        state.eventEnds[ExactText(topic), or: [:]][end, default: 0] += count
    }

    func count(_ outcome: OutcomeKind, application: ApplicationID, by count: Int) {
        state.outcomes[application, or: [:]][outcome, default: 0] += count
    }

    // MARK: Lists for people

    func deadLetters(after: Int64, limit: Int, includeReplayed: Bool) -> [DeadLetter] {
        var found: [DeadLetter] = []
        for id in state.deadLetters.keys(after: after) {
            if found.count >= limit { break }
            if let letter = state.deadLetters[id], includeReplayed || letter.replayed == nil { found.append(letter) }
        }
        return found
    }

    func deadLetter(_ id: Int64) -> DeadLetter? { state.deadLetters[id] }

    func markReplayed(_ id: Int64, at time: Instant) {
        guard var letter = state.deadLetters[id] else { return }
        letter.replayed = time
        state.deadLetters[id] = letter
    }

    func conflicts(after: Int64, limit: Int) -> [Conflict] {
        state.conflicts.keys(after: after).prefix(max(0, limit)).compactMap { state.conflicts[$0] }
    }

    func alarms(after: Int64, limit: Int) -> [Alarm] {
        state.alarms.keys(after: after).prefix(max(0, limit)).compactMap { state.alarms[$0] }
    }

    func eventEnds() -> [(topic: String, end: EventEnd, count: Int)] {
        state.eventEnds.keys(after: nil).flatMap { topic in
            EventEnd.allCases.compactMap { end in
                state.eventEnds[topic]?[end].flatMap { $0 == 0 ? nil : (topic: topic.rawValue, end: end, count: $0) }
            }
        }
    }

    func outcomeCounts() -> [(application: ApplicationID, kind: OutcomeKind, count: Int)] {
        state.outcomes.keys(after: nil).flatMap { application in
            OutcomeKind.allCases.compactMap { kind in
                state.outcomes[application]?[kind].flatMap { $0 == 0 ? nil : (application: application, kind: kind, count: $0) }
            }
        }
    }

    func goldenCounts() -> [(entity: EntityName, live: Int, deleted: Int)] {
        var counts: [EntityName: (live: Int, deleted: Int)] = [:]
        for golden in state.golden.rows.values {
            if golden.isDeleted {
                counts[golden.entity, default: (0, 0)].deleted += 1
            } else {
                counts[golden.entity, default: (0, 0)].live += 1
            }
        }
        return counts.sorted { $0.key < $1.key }.map { (entity: $0.key, live: $0.value.live, deleted: $0.value.deleted) }
    }
}

extension MemoryTable {
    subscript(key: Key, or row: Row) -> Row {
        get { self[key] ?? row }
        set { self[key] = newValue }
    }
}
