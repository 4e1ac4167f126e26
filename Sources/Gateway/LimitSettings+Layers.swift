import Configuration
import Network
import Transport

extension UpstreamLimits {
    init(_ settings: LimitSettings) {
        self.init()
        replyBytesMax = settings.upstreamReplyBytesMax
        jsonDepthMax = settings.jsonDepthMax
        listPagesMax = settings.upstreamPagesMax
        retryFirst = settings.reconnectFirst
        retryMax = settings.reconnectMax
        callTimeWithProgress = settings.callTimeWithProgress
        answerTime = settings.answerTime
        instancesMax = settings.upstreamInstancesMax
        instancesOfCallerMax = settings.upstreamInstancesShare
        instancesInAllMax = settings.instancesMax
        instanceIdleTime = settings.instanceIdleTime
    }
}

extension HTTPLimits {
    init(_ settings: LimitSettings) {
        self.init()
        headerBytesMax = settings.requestHeaderBytesMax
        headerTimeout = settings.requestHeaderTime
        bodyBytesMax = settings.requestBodyBytesMax
        bodyTimeout = settings.requestBodyTime
        idleTimeout = settings.idleTime
        connectionsMax = settings.connectionsMax
        queuedBytesMax = settings.queuedBytesMax
    }
}
