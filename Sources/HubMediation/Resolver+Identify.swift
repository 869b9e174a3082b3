import HubCodec
import HubDriver
import HubModel
import HubRules
import HubStore

extension Resolver {
    /// A native reference that has no link.
    struct Unlinked {
        var reference: NativeReference
        var isSoft: Bool
    }

    /// Puts canonical ids in the place of native keys; soft references without a link are left out.
    func translateReferences(
        in fields: inout Fields, _ mapping: Mapping, _ document: NativeReference, _ store: any StoreTransaction
    ) throws(StoreError) -> [Unlinked] {
        guard mapping.hasReferences else { return [] }
        let unresolved = try mapping.resolveReferences(in: &fields) { (entity, key) throws(StoreError) in
            try store.link(nativeReference(document, entity, key))
        }
        return unresolved.map { Unlinked(reference: nativeReference(document, $0.entity, NativeKey($0.key)), isSoft: $0.isSoft) }
    }

    /// What a document's reference names: in the same company where the application keeps that entity per company.
    func nativeReference(_ document: NativeReference, _ entity: EntityName, _ key: NativeKey) -> NativeReference {
        let isPerCompany = plan.binding(document.application, entity)?.manifest.isPerCompany == true
        return NativeReference(document.application, isPerCompany ? document.company : .shared, entity, key)
    }

    /// Which golden record a native document is: by its link, the hub's own reference, the match fields, or a new one.
    /// - Returns: nil while a create is under way there of which this may be the echo.
    func identify(
        _ change: InboundChange, _ told: Fields, linked: CanonicalID?, arrived: Instant, in store: any StoreTransaction
    ) throws(StoreError) -> (id: CanonicalID, isNew: Bool)? {
        if let linked { return (linked, false) }
        let document = change.document
        if plan.planted != .echoOfCreate {
            if let reference = change.reference, let golden = try store.golden(reference), golden.entity == document.entity {
                let target = plan.target(document.application, document.entity, document.company, reference)
                if let known = try store.target(target).key, known != document.key {
                    try store.append(
                        Alarm(
                            code: "second-document", application: document.application, document: reference,
                            text: "\(document.key) carries the reference of \(reference), which is \(known)", time: change.time))
                    return (reference, false)
                }
                return (reference, true)
            }
            // Where every event carries the reference, one without it cannot be the echo of a create.
            if plan.binding(document.application, document.entity)?.manifest.tellsReference != true,
                try store.hasIntents(document.application, document.entity, sentBy: arrived)
            {
                return nil
            }
        }
        for field in plan.policy(document.entity).match {
            guard let text = told[field]?.matchText else { continue }
            let candidates = try store.matches(document.entity, field, text)
            guard let found = candidates.first else { continue }
            let target = plan.target(document.application, document.entity, document.company, found)
            if candidates.count > 1 {
                try store.append(
                    Alarm(
                        code: "ambiguous", application: document.application, document: found,
                        text: "\(document.key) matches \(candidates.count) documents by \(field); it is kept apart", time: change.time))
            } else if try store.target(target).key == nil, try store.target(target).intent == nil {
                return (found, true)
            }
        }
        return (try store.newID(document.entity), true)
    }
}
