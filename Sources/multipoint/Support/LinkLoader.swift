import HubConfiguration
import HubDriver
import HubModel
import HubRules
import HubStore

/// Puts rows of a cross-reference into the store.
struct LinkLoader {
    /// What is wrong with a row.
    struct Mistake: Error {
        var text: String
    }

    let plan: HubPlan
    private(set) var new = 0
    private(set) var known = 0
    /// The document that each id of the file stands for: one entry per document, held until the end.
    private var documents: [Name: CanonicalID] = [:]

    private struct Name: Hashable {
        var entity: EntityName
        var id: CanonicalID
    }

    init(plan: HubPlan) { self.plan = plan }

    /// Notes which document a row's id stands for, if the row is linked already. Comes before the first ``load(_:_:)``, for all rows,
    /// as any row of a document may be the one that is known.
    mutating func note(_ row: LinkRow, _ transaction: any StoreTransaction) throws(Mistake) {
        let reference = try reference(row)
        do throws(StoreError) {
            guard let linked = try transaction.link(reference) else { return }
            let name = Name(entity: reference.entity, id: CanonicalID(row.id))
            if let other = documents[name], other != linked {
                throw StoreError(.body, "\(reference) is \(linked), but \(row.id) is \(other) by an earlier line")
            }
            documents[name] = linked
        } catch {
            throw Mistake(text: error.message)
        }
    }

    mutating func load(_ row: LinkRow, _ transaction: any StoreTransaction) throws(Mistake) {
        let reference = try reference(row)
        do throws(StoreError) {
            let linked = try transaction.link(reference)
            let id = try document(row, reference.entity, transaction)
            if let linked, linked != id {
                throw StoreError(.body, "\(reference) belongs to \(linked) already, with which \(row.id) has nothing in common")
            }
            let target = Target(reference.application, reference.company, id)
            var state = try transaction.target(target)
            if let key = state.key, key != reference.key {
                throw StoreError(.body, "\(row.id) is \(key) in \(reference.application) already, and cannot be \(reference.key) as well")
            }
            if linked != nil {
                known += 1
                return
            }
            try transaction.store(link: reference, to: id, target: target, state: &state)
            try transaction.put(state, target, reference.entity)
            new += 1
        } catch {
            throw Mistake(text: error.message)
        }
    }

    private func reference(_ row: LinkRow) throws(Mistake) -> NativeReference {
        let application = ApplicationID(row.application)
        let entity = EntityName(row.entity)
        guard let attached = plan.applications[application] else {
            throw Mistake(
                text: "there is no application \(row.application)" + near(row.application, plan.applications.keys.map(\.rawValue)))
        }
        guard let binding = attached.bindings[entity] else {
            throw Mistake(text: "\(application) does not hold \(row.entity)" + near(row.entity, attached.bindings.keys.map(\.rawValue)))
        }
        if row.key.isEmpty || row.id.isEmpty { throw Mistake(text: "key and id must not be empty") }
        guard binding.manifest.isPerCompany else {
            if !row.company.isEmpty { throw Mistake(text: "\(application) does not keep \(entity) per company: leave company empty") }
            return NativeReference(application, .shared, entity, NativeKey(row.key))
        }
        guard attached.companies[CompanyID(row.company)] != nil else {
            throw Mistake(
                text: "\(application) keeps \(entity) per company, and has no company \"\(row.company)\""
                    + near(row.company, attached.companies.keys.map(\.rawValue)))
        }
        return NativeReference(application, CompanyID(row.company), entity, NativeKey(row.key))
    }

    private func near(_ word: String, _ words: [String]) -> String {
        Suggestion.nearest(word, words).map { "; did you mean \($0)?" } ?? ""
    }

    private mutating func document(
        _ row: LinkRow, _ entity: EntityName, _ transaction: any StoreTransaction
    ) throws(StoreError) -> CanonicalID {
        let name = Name(entity: entity, id: CanonicalID(row.id))
        if let id = documents[name] { return id }
        let golden = try transaction.golden(name.id)
        let id = golden?.entity == entity ? name.id : try transaction.newID(entity)
        documents[name] = id
        return id
    }
}
