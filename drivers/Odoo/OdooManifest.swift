import HubDriver
import HubModel

/// What the driver says of Odoo.
enum OdooManifest {
    static func manifest(settle: Duration, answer: Duration, poll: Duration, isPerCompany: Bool) -> Manifest {
        return Manifest(
            driver: OdooFactory.name, version: "1.0", summary: "Odoo 19 through its JSON-2 interface",
            entities: NativeType.all.map { type in
                EntityManifest(
                    native: type.model, entity: type.entity, operations: operations(type),
                    createIsRepeatable: !type.isReadOnly, hasToken: false, tellsReference: true, delete: type.delete,
                    isPerCompany: type.hasCompany && isPerCompany, transitions: transitions(type),
                    rules: rules(type))
            },
            settleTime: settle, answerTime: answer, limits: Manifest.Limits(batch: 1, concurrentCalls: 4), pollTime: poll,
            window: """
                Odoo has no version token and the last writer wins. A write reads the document first, compares it with what the hub last \
                heard in the members that the hub writes, and only then changes the members that differ: what a person saves between that \
                read and the write, a few hundredths of a second in which Odoo holds no lock for us, is covered in those members and in no \
                others; an order's lines count as one member. A create carries an external id that is unique in Odoo, so that sending it \
                again creates nothing. Creating an order takes three transactions (create, confirm, date): sent again it is taken up where \
                it stopped, except that an order which was confirmed and not dated keeps Odoo's date. Odoo has no time after which a call \
                without an answer is dropped: the settle time is what the server's own request limit makes of it. Capture asks for what \
                changed by write_date, which is a transaction's start cut to seconds, and goes back by the overlap: a transaction that \
                takes longer to commit than that is missed until the document changes again, and of several changes between two looks \
                only the last state is told. Documents written behind Odoo's back, by SQL, are not seen.
                """,
            functions: [.price, .stock, .credit, .validate])
    }

    /// The rules that any document can break, and those of its type.
    private static func rules(_ type: NativeType) -> [String] {
        if type.isReadOnly { return ["read-only"] }
        let own: [String]
        switch type.model {
        case NativeType.partner.model: own = ["circular", "invalid-vat", "merged"]
        case NativeType.order.model: own = ["confirmed-line", "kept", "locked-order", "unprepared"]
        case NativeType.pricelist.model: own = ["unprepared"]
        default: own = []
        }
        let common = [
            "access", "duplicate", "invalid-text", "invalid-value", "missing-field", "precision", "read-only", "refused", "unknown-code",
            "unknown-field", "unknown-reference", "validation",
        ]
        return (common + own).sorted()
    }

    private static func operations(_ type: NativeType) -> Set<Delivery.Operation> {
        if type.isReadOnly { return [] }
        return type.delete == .refuses ? [.create, .update] : [.create, .update, .delete]
    }

    private static func transitions(_ type: NativeType) -> [String: [String]] {
        guard type.model == NativeType.order.model else { return [:] }
        return ["draft": ["sent", "sale", "cancel"], "sent": ["sale", "cancel"], "sale": ["cancel"], "cancel": ["draft"]]
    }
}
