package import HubDriver
package import HubModel

/// A document as the file holds it.
package struct StoredDocument: Sendable, Hashable {
    /// Unique over all types of the application and never used again.
    package var id: Int64
    package var native: String
    package var reference: CanonicalID?
    /// Rises by one with every change; the version token of applications that have one.
    package var version: Int64
    /// The sequence number of its last event.
    package var stamp: Int64
    package var isDeleted: Bool
    package var fields: Fields

    package var key: NativeKey { NativeKey(String(id)) }

    /// The document as the application tells it, with what its manifest says that reads tell.
    package func told(_ entity: EntityManifest) -> NativeDocument {
        NativeDocument(
            key: key, token: entity.hasToken ? VersionToken(String(version)) : nil,
            stamp: entity.hasStamp ? SourcePosition(minor: stamp) : nil, reference: reference, isDeleted: isDeleted, fields: fields)
    }

    subscript(name: String) -> Value { fields[name] ?? .null }
}

/// Who acts in an application.
package enum Actor: Sendable, Hashable {
    case hub
    /// A member of staff; with a territory, one who may only edit what lies in it.
    case person(name: String, territory: String?)
    /// A step of the application's own workflow, which sets what nobody may type in.
    case workflow

    /// A member of staff with every right.
    package static let staff = Actor.person(name: "staff", territory: nil)
}

/// A rule of the application forbids what was asked; nothing was changed.
package struct Refused: Error, Hashable, CustomStringConvertible {
    package var rejection: Rejection

    package init(_ rule: String, _ field: String? = nil, _ text: String) {
        rejection = Rejection(rule: rule, field: field, text: text)
    }

    package var rule: String { rejection.rule }
    package var description: String { rejection.description }
}

/// A document on its way into the file, before the rules have seen it.
package struct Draft: Sendable {
    package var native: String
    /// Nil for a new document.
    package var id: Int64?
    /// The members before the change; nil for a new document.
    package var before: Fields?
    /// The members after it; rules complete and normalise them.
    package var fields: Fields
    package var actor: Actor
    /// What must be unique within the type; nil without such a rule.
    package var code: String?
    /// What this document holds of others.
    package var uses: [Use] = []
    /// Of a trial, what is wrong so far; nil where the document is meant in earnest.
    package var violations: [Rejection]?

    /// The document is only looked at: nothing may be written for it, and all that is wrong is wanted.
    package var isTrial: Bool { violations != nil }

    /// One of several rules that do not depend on each other: in earnest the first refusal ends it, a trial goes on.
    package mutating func gather(_ rule: (inout Draft) throws -> Void) throws {
        do {
            try rule(&self)
        } catch let refused as Refused where isTrial {
            violations?.append(refused.rejection)
        }
    }

    package subscript(name: String) -> Value {
        get { fields[name] ?? .null }
        set { fields[name] = newValue }
    }

    /// True where the change touches that member, and for every member of a new document.
    package func changes(_ name: String) -> Bool { before.map { ($0[name] ?? .null) != self[name] } ?? true }
}

/// What one document takes from another: existence only, credit in cents, or stock in thousandths.
package struct Use: Sendable, Hashable {
    package enum Kind: String, Sendable { case existence, credit, stock }

    package var subject: Int64
    package var kind: Kind
    package var amount: Int64

    package init(_ kind: Kind = .existence, of subject: Int64, amount: Int64 = 0) {
        self.subject = subject
        self.kind = kind
        self.amount = amount
    }
}

/// What an application is, besides what the manifest says: its rules, run inside the transaction of every change.
package protocol Rules: Sendable {
    var entities: [EntityManifest] { get }
    /// Code lists of a new file: list, code, and a number that the list's rule needs (days of payment terms).
    var codes: [(list: String, code: String, days: Int)] { get }
    /// The members of a native type; nil where there is no such type.
    func shape(_ native: String) -> Shape?
    /// The names of lines' members.
    var lines: OrderLine.Names { get }
    /// Normalises, completes and judges a document before it is stored; throws ``Refused``.
    func admit(_ draft: inout Draft, in work: Work) throws
    /// Judges a deletion; throws ``Refused``.
    func admitRemoval(of document: StoredDocument, by actor: Actor, in work: Work) throws
    /// Answers a question of the manifest's functions; throws ``Refused`` where the question itself is wrong.
    func answer(_ question: Question, in work: Work) throws -> FunctionReply
}

extension Rules {
    package func answer(_ question: Question, in work: Work) throws -> FunctionReply {
        .cannotSay(reason: "it has no function \(question.function)")
    }
}
