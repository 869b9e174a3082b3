import HubCodec
import HubDriver
import HubModel
import HubRules
import HubStore

extension TargetDelivery {
    /// Stores the write, then asks for the call.
    func apply(
        _ operation: Delivery.Operation, _ values: Fields, _ version: Version, _ context: inout Context, in store: any StoreTransaction
    ) throws(StoreError) -> DeliveryStep {
        if let step = try stop(&context, in: store) { return step }
        let mapping = context.binding.mapping
        let heard = context.state.heard
        let native: Fields
        // Of fields that are not written now nothing changes.
        var leftOut = context.state.leftOut.filter { entry in
            context.golden.fields.contains { Self.isPlace(entry.key, in: $0.name) }
                && !values.contains { Self.isPlace(entry.key, in: $0.name) }
        }
        do {
            let translated = try mapping.native(
                from: values, creates: operation == .create, timeZone: plan.timeZone(context.golden.company)
            ) {
                try nativeKey(of: $1, $0, context, in: store)
            }
            native = translated.native
            for reference in translated.unresolved { leftOut[reference.field] = CanonicalID(reference.key) }
        } catch let failure as StoreError {
            throw failure
        } catch {
            return try die("translation", "\(error)", version, &context, in: store)
        }
        context.state.leftOut = leftOut
        let write = TargetState.Write(
            id: context.state.nextWriteID(context.now),
            fields: context.state.effect(of: values, creates: operation == .create, under: mapping), isCreate: operation == .create,
            isDelete: operation == .delete, condition: heard?.token, sent: context.now)
        if plan.planted != .singleShadow || operation == .create { context.state.written.append(write) }
        try hold(&context, in: store)
        let delivery = Delivery(
            target: context.target, version: version, operation: operation, native: mapping.native, company: company(context),
            key: context.state.key, reference: context.golden.id, fields: native, expected: expectation(context, in: store))
        return .call(
            DeliveryCall(
                .apply(delivery), context.target, context.entity, version: version, write: write.id, decided: context.now,
                fields: write.fields, heard: heard?.position))
    }

    /// True where a left-out reference, `agent` or `lines[7].product`, is that field or in that list.
    private static func isPlace(_ place: String, in field: String) -> Bool {
        place.hasPrefix(field) && (place.utf8.count == field.utf8.count || place.hasPrefix(field + "["))
    }

    private func expectation(_ context: Context, in store: any StoreTransaction) -> Delivery.Expectation? {
        guard let heard = context.state.heard, context.state.key != nil else { return nil }
        guard !context.binding.manifest.hasToken else { return .init(token: heard.token, fields: Fields()) }
        let native = try? context.binding.mapping.native(
            from: heard.fields.filter { context.binding.mapping.writes($0.name) }, timeZone: plan.timeZone(context.golden.company)
        ) {
            try? nativeKey(of: $1, $0, context, in: store)
        }
        var expected = native?.native ?? Fields()
        // As the application told it: a mapping may say less than that, as a day does of a moment.
        if let told = heard.native.root?.value {
            for (name, _) in expected {
                if let value = told[name], value.array == nil, value.object == nil { expected[name] = value }
            }
        }
        return .init(token: nil, fields: expected)
    }

    // MARK: Replies

    func foundBy(
        _ call: DeliveryCall, _ documents: [NativeDocument], _ context: inout Context, in store: any StoreTransaction
    ) throws(StoreError) -> DeliveryStep {
        if context.state.key != nil { return try next(&context, in: store) }
        if documents.count > 1 {
            let keys = documents.map(\.key.rawValue).joined(separator: ", ")
            try store.append(
                Alarm(
                    code: "ambiguous", application: application, document: context.golden.id,
                    text: "\(documents.count) documents carry its reference: \(keys)", time: context.now))
            context.state.wait = TargetState.Wait(
                .ambiguous, detail: "\(documents.count) documents carry its reference: \(keys)", since: context.now)
            try publishWaiting(context, in: store)
            try save(context, in: store)
            return .rests(until: nil)
        }
        if let found = documents.first {
            try linked(to: found.key, &context, in: store)
        } else {
            // The look-up began after the settle time: the create certainly did not happen.
            context.state.written.removeAll()
            try save(context, in: store)
        }
        return try next(&context, in: store)
    }

    func read(
        _ call: DeliveryCall, _ document: NativeDocument?, _ context: inout Context, in store: any StoreTransaction
    ) throws(StoreError) -> DeliveryStep {
        guard let heard = context.state.heard, heard.position == call.heard else { return try next(&context, in: store) }
        guard let document else { return try waitForNewer(call, absence(context), &context, in: store) }
        guard try isAsHeard(document, heard, context, in: store) else {
            return try waitForNewer(call, "the document has changed since it was last heard", &context, in: store)
        }
        context.state.written.removeAll { call.doubts.contains($0.id) }
        let leaving = isLeaving(context)
        let values = leaving ? Fields() : changes(context)
        if values.isEmpty && !leaving {
            try save(context, in: store)
            return try next(&context, in: store)
        }
        return try apply(leaving ? .delete : .update, values, context.golden.version, &context, in: store)
    }

    /// Why nothing is written where a document should be and is not.
    private func absence(_ context: Context) -> String {
        "\(application) told of \(context.binding.mapping.native) \(context.state.key?.rawValue ?? "") but has no such document, "
            + "and has not told of its end"
    }

    /// True where a read shows what was last heard, so that nothing unheard can be covered.
    private func isAsHeard(
        _ document: NativeDocument, _ heard: TargetState.Heard, _ context: Context, in store: any StoreTransaction
    ) throws(StoreError) -> Bool {
        if document.isDeleted != heard.isDeleted { return false }
        if context.binding.manifest.hasStamp, let stamp = document.stamp { return stamp == heard.position }
        if let token = document.token, let known = heard.token { return token == known }
        guard let told = try translate(document, context, in: store) else { return false }
        return heard.fields.allSatisfy { field in
            guard let value = told[field.name] else { return true }
            return context.binding.mapping.same(field.name, field.value, value)
        }
    }

    /// *Heard* as today's mapping reads it: under another one the same document would look as if somebody had changed it.
    func readAgain(_ context: inout Context, in store: any StoreTransaction) throws(StoreError) {
        let mapping = context.binding.mapping
        guard let heard = context.state.heard, heard.mapping != mapping.version, !heard.native.isEmpty, let native = heard.native.root,
            let told = try? mapping.translate(native, timeZone: plan.timeZone(context.golden.company))
        else { return }
        let fields = try referring(told, context, in: store)
        context.state.heard?.fields = fields
        context.state.heard?.mapping = mapping.version
    }

    /// The document's canonical fields; nil where it cannot be translated.
    private func translate(_ document: NativeDocument, _ context: Context, in store: any StoreTransaction) throws(StoreError) -> Fields? {
        let timeZone = plan.timeZone(context.golden.company)
        guard let fields = try? context.binding.mapping.translate(.object(document.fields), timeZone: timeZone) else { return nil }
        return try referring(fields, context, in: store)
    }

    /// Translated fields with canonical ids in the place of native keys.
    private func referring(_ translated: Fields, _ context: Context, in store: any StoreTransaction) throws(StoreError) -> Fields {
        var fields = translated
        _ = try context.binding.mapping.resolveReferences(in: &fields) { (entity, key) throws(StoreError) in
            let isPerCompany = plan.binding(application, entity)?.manifest.isPerCompany == true
            return try store.link(NativeReference(application, isPerCompany ? context.golden.company : .shared, entity, key))
        }
        return fields
    }

    func applied(
        _ call: DeliveryCall, _ answer: Answer, _ context: inout Context, in store: any StoreTransaction
    ) throws(StoreError) -> DeliveryStep {
        guard let write = call.write else { return .rests(until: nil) }
        switch answer {
        case .written(let document), .unchanged(let document):
            context.state.answered(write, token: document.token)
            if context.state.key == nil { try linked(to: document.key, &context, in: store) }
            if plan.planted == .singleShadow, let heard = context.state.heard {
                context.state.heard?.fields = heard.fields.overlaid(with: call.fields)
            }
            if plan.planted == .readBackMovesHeard, context.state.heard != nil, let told = try translate(document, context, in: store) {
                context.state.heard?.fields = told
            }
            if !document.isDeleted, let told = try translate(document, context, in: store),
                let differing = call.fields.first(where: { field in
                    told[field.name].map { !context.binding.mapping.same(field.name, field.value, $0) } ?? false
                })
            {
                return try waitForNewer(call, "\(differing.name) reads back otherwise than it was written", &context, in: store)
            }
            let isWritten = if case .written = answer { true } else { false }
            return try finish(isWritten ? .written : .unchanged, call.version, &context, in: store)
        case .rejected(let rejection):
            context.state.withdraw(write)
            return try finish(.rejected, call.version, rejection: rejection, fields: call.fields, &context, in: store)
        case .changed, .gone:
            context.state.withdraw(write)
            if call.heard == nil {
                return try retry(after: .seconds(1), "the application answered a create with \(answer)", call, &context, in: store)
            }
            let detail = if case .gone = answer { absence(context) } else { "the document is newer than what was heard" }
            return try waitForNewer(call, detail, &context, in: store)
        case .retry(let delay, let reason):
            context.state.withdraw(write)
            return try retry(after: delay, reason, call, &context, in: store)
        case .later(let delay, let reason):
            context.state.withdraw(write)
            context.state.delays += 1
            return try wait(delay, times: context.state.delays, reason, &context, in: store)
        case .noAnswer:
            return try next(&context, in: store)
        }
    }

    /// Links what was created, or found by its reference.
    private func linked(to key: NativeKey, _ context: inout Context, in store: any StoreTransaction) throws(StoreError) {
        let entity = context.entity
        let reference = NativeReference(application, context.target.company, entity, key)
        if let other = try store.link(reference), other != context.golden.id {
            try store.append(
                Alarm(
                    code: "second-document", application: application, document: context.golden.id,
                    text: "\(key) answers for it, but is linked to \(other) already", time: context.now))
        }
        try store.store(link: reference, to: context.golden.id, target: context.target, state: &context.state)
        try save(context, in: store)
    }

    /// Waits for the feed, unless it has told something newer in the meantime.
    private func waitForNewer(
        _ call: DeliveryCall, _ detail: String, _ context: inout Context, in store: any StoreTransaction
    ) throws(StoreError) -> DeliveryStep {
        if context.state.heard?.position != call.heard && plan.planted != .lostWake {
            try save(context, in: store)
            return try next(&context, in: store)
        }
        let until = context.now + plan.recheckTime
        context.state.wait = TargetState.Wait(.changed, detail: detail, until: until, since: context.now)
        try save(context, in: store)
        return .rests(until: until)
    }

    private func retry(
        after delay: Duration, _ reason: String, _ call: DeliveryCall, _ context: inout Context, in store: any StoreTransaction
    ) throws(StoreError) -> DeliveryStep {
        context.state.attempts += 1
        if context.state.attempts >= plan.attemptLimit {
            return try die(
                "attempts", "\(context.state.attempts) attempts failed, the last one: \(reason)", call.version, &context, in: store)
        }
        return try wait(delay, times: context.state.attempts, reason, &context, in: store)
    }

    /// As long as the application asks for, and longer each time up to a minute: where it asks for more, it means it.
    private func wait(
        _ delay: Duration, times: Int, _ reason: String, _ context: inout Context, in store: any StoreTransaction
    ) throws(StoreError) -> DeliveryStep {
        let asked = min(max(delay.milliseconds, 1), Self.longestDelay)
        let until = context.now + .milliseconds(max(asked, min(asked << min(times - 1, 16), Self.longestBackoff)))
        context.state.wait = TargetState.Wait(.retry, detail: reason, until: until, since: context.now)
        try save(context, in: store)
        return .rests(until: until)
    }

    /// Milliseconds that doubling leads to.
    private static let longestBackoff: Int64 = 60_000
    /// Milliseconds that an application may ask for: a day.
    private static let longestDelay: Int64 = 86_400_000

    private func die(
        _ code: String, _ reason: String, _ version: Version, _ context: inout Context, in store: any StoreTransaction
    ) throws(StoreError) -> DeliveryStep {
        _ = try store.append(
            DeadLetter(
                application: application, target: context.target, version: version, code: code, reason: reason, time: context.now))
        return try finish(.dead, version, reason: reason, &context, in: store)
    }
}
