@testable import HubTestKit

/// A mistake that the test driver can be made with; each is what one check is for.
enum Defect: String, CaseIterable, Sendable {
    case contradictoryManifest, withoutLookUp
    case anotherInstanceEachTime
    case hidesTypes, discoversAnother, hidesFields, repeatsFields, hidesRights
    case createsTwice
    case lostAnswerIsRetry, lookUpFindsNothing
    case repeatsAfterTimeOut
    case swallowsErrors, unreachableMidway, unreachableAfterOthers
    case answersBeforeItStands
    case mixesAnswers, oneAtATime
    case ignoresTokens, tokenNeverMoves
    case writesWholeDocuments, hidesEdits
    case wrongRule, refusalIsRetry, leavesRefusedCreate
    case outageIsRejection, busyIsFinal
    case outageIsNoAnswer, outageTakesLong
    case ignoresCancellation, doesNotRecover
    case fansOut, chatty
    case dropsUnknown
    case cutsAtNul, readsLatin1, composesText
    case throughDoubles
    case shiftsDates
    case pagesByOffset, pagesByChange
    case losesEvents, losesDeletes, tellsNoReference, movesOn, skipsOne
    case saysItArchives, answersWithoutDeleting
    case answersForNothing, leavesMembersOut, answersFromMemory, writesForQuestions
    case closeHangs, callsHangAfterClose

    /// The check that has to find it.
    var check: Check {
        switch self {
        case .contradictoryManifest, .withoutLookUp: .manifest
        case .anotherInstanceEachTime: .identity
        case .hidesTypes, .discoversAnother, .hidesFields, .repeatsFields, .hidesRights: .discovery
        case .createsTwice: .redelivery
        case .lostAnswerIsRetry, .lookUpFindsNothing: .intentRecovery
        case .repeatsAfterTimeOut: .lateCompletion
        case .swallowsErrors, .unreachableMidway, .unreachableAfterOthers: .halfDone
        case .answersBeforeItStands: .laneOrder
        case .mixesAnswers, .oneAtATime: .laneConcurrency
        case .ignoresTokens, .tokenNeverMoves: .conditionalWrite
        case .writesWholeDocuments, .hidesEdits: .editBeforeReadBack
        case .wrongRule, .refusalIsRetry, .leavesRefusedCreate: .rules
        case .outageIsRejection, .busyIsFinal: .retryableAndFinal
        case .outageIsNoAnswer, .outageTakesLong: .unreachable
        case .ignoresCancellation, .doesNotRecover: .slow
        case .fansOut, .chatty: .rateLimit
        case .dropsUnknown: .unknownField
        case .cutsAtNul, .readsLatin1, .composesText: .hostileText
        case .throughDoubles: .decimals
        case .shiftsDates: .dates
        case .pagesByOffset, .pagesByChange: .paging
        case .losesEvents, .losesDeletes, .tellsNoReference, .movesOn, .skipsOne: .capture
        case .saysItArchives, .answersWithoutDeleting: .delete
        case .answersForNothing, .leavesMembersOut, .answersFromMemory, .writesForQuestions: .functions
        case .closeHangs, .callsHangAfterClose: .shutdown
        }
    }
}
