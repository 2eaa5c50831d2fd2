#include "viewer/dicom/listener/association.h"

#include <dcmtk/config/osconfig.h>

#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmnet/assoc.h>
#include <dcmtk/dcmnet/dimse.h>
#include <dcmtk/dcmnet/diutil.h>
#include <dcmtk/oflog/oflog.h>

#include <cstring>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include "viewer/dicom/netproto.h"

namespace {

constexpr Uint64 kBreath = 256 << 10;    // bytes that earn another idle_s
constexpr unsigned kServerSeconds = 120; // the server has for a verdict
constexpr long kPduBytes = ASC_MAXIMUMPDUSIZE;
const char kStorage[] = "1.2.840.10008.5.1.4.1.1."; // PS3.4 §B.5, private classes aside
const char kSyntaxes[] = "1.2.840.10008.1.2";       // PS3.6 §A

struct work {
    const cn_association *own;
    T_ASC_Association *assoc;
    std::uint32_t files;
    std::uint64_t bytes;
    Uint64 breathed;
};

cn_net_verdict ask(const work &job, const void *message, std::size_t size)
{
    cn_net_verdict verdict = {CN_NET_VERDICT, CN_NET_NO_ROOM, "the server does not answer"};
    char answer[512];
    alarm(kServerSeconds);
    ssize_t got = send(job.own->server, message, size, MSG_NOSIGNAL) == static_cast<ssize_t>(size)
                      ? recv(job.own->server, answer, sizeof(answer), 0)
                      : -1;
    cn_net_verdict read;
    if (got > 0 && cn_net_verdict_read(answer, static_cast<std::size_t>(got), &read)) verdict = read;
    alarm(job.own->idle_s);
    return verdict;
}

void copy_text(char *to, std::size_t size, const char *from)
{
    std::size_t len = strnlen(from, size - 1);
    while (len && from[len - 1] == ' ') len--; // titles may be padded
    std::memcpy(to, from, len);
}

bool known_syntax(const char *uid)
{
    return std::strncmp(uid, kSyntaxes, sizeof(kSyntaxes) - 1) == 0;
}

// The first syntax that the peer names: he knows what he has, and everything is kept as it comes.
void choose_context(T_ASC_Parameters *params, int index)
{
    T_ASC_PresentationContext context;
    if (ASC_getPresentationContext(params, index, &context).bad()) return;
    const bool echo = std::strcmp(context.abstractSyntax, UID_VerificationSOPClass) == 0;
    const bool store = std::strncmp(context.abstractSyntax, kStorage, sizeof(kStorage) - 1) == 0;
    for (int i = 0; (echo || store) && i < context.transferSyntaxCount; i++)
        if (known_syntax(context.proposedTransferSyntaxes[i])) {
            ASC_acceptPresentationContext(params, context.presentationContextID, context.proposedTransferSyntaxes[i]);
            return;
        }
    ASC_refusePresentationContext(params, context.presentationContextID,
                                  echo || store ? ASC_P_TRANSFERSYNTAXESNOTSUPPORTED
                                                : ASC_P_ABSTRACTSYNTAXNOTSUPPORTED);
}

OFCondition refuse(T_ASC_Association *assoc, T_ASC_RejectParametersReason reason)
{
    T_ASC_RejectParameters why = {ASC_RESULT_REJECTEDPERMANENT, ASC_SOURCE_SERVICEUSER, reason};
    if (reason == ASC_REASON_SP_PRES_LOCALLIMITEXCEEDED)
        why = {ASC_RESULT_REJECTEDTRANSIENT, ASC_SOURCE_SERVICEPROVIDER_PRESENTATION_RELATED, reason};
    OFCondition sent = ASC_rejectAssociation(assoc, &why);
    return sent.good() ? ASC_NULLKEY : sent;
}

OFCondition negotiate(work &job)
{
    T_ASC_Parameters *params = job.assoc->params;
    cn_net_hello hello = {};
    hello.kind = CN_NET_HELLO;
    copy_text(hello.calling, sizeof(hello.calling), params->DULparams.callingAPTitle);
    copy_text(hello.called, sizeof(hello.called), params->DULparams.calledAPTitle);
    const cn_net_verdict verdict = ask(job, &hello, sizeof(hello));
    if (verdict.status == CN_NET_MISMATCH) return refuse(job.assoc, ASC_REASON_SU_CALLEDAETITLENOTRECOGNIZED);
    if (verdict.status == CN_NET_NO_ROOM) return refuse(job.assoc, ASC_REASON_SP_PRES_LOCALLIMITEXCEEDED);
    if (verdict.status != CN_NET_TAKEN) return refuse(job.assoc, ASC_REASON_SU_CALLINGAETITLENOTRECOGNIZED);
    for (int i = 0; i < ASC_countPresentationContexts(params); i++) choose_context(params, i);
    return ASC_acknowledgeAssociation(job.assoc);
}

void comment(DcmDataset **detail, const char *why)
{
    *detail = new DcmDataset;
    (*detail)->putAndInsertString(DCM_ErrorComment, why);
}

void arrived(work &job, const T_DIMSE_C_StoreRQ *request, T_DIMSE_C_StoreRSP *response, DcmDataset **detail)
{
    cn_net_file file = {};
    file.kind = CN_NET_FILE;
    file.number = job.files;
    copy_text(file.sop_class, sizeof(file.sop_class), request->AffectedSOPClassUID);
    copy_text(file.instance, sizeof(file.instance), request->AffectedSOPInstanceUID);
    const cn_net_verdict verdict = ask(job, &file, sizeof(file));
    response->DimseStatus = static_cast<DIC_US>(verdict.status);
    if (verdict.status != CN_NET_TAKEN) comment(detail, verdict.why);
}

void progress(void *context, T_DIMSE_StoreProgress *now, T_DIMSE_C_StoreRQ *request, char *, DcmDataset **,
              T_DIMSE_C_StoreRSP *response, DcmDataset **detail)
{
    work &job = *static_cast<work *>(context);
    const Uint64 bytes = static_cast<Uint64>(now->progressBytes);
    if (now->state == DIMSE_StoreBegin) job.breathed = 0;
    if (now->state == DIMSE_StoreProgressing && bytes >= job.breathed + kBreath) {
        job.breathed = bytes;
        alarm(job.own->idle_s);
    }
    if (job.bytes + bytes > job.own->bytes_max) _exit(3);
    if (now->state != DIMSE_StoreEnd) return;
    job.bytes += bytes;
    if (response->DimseStatus == STATUS_Success) arrived(job, request, response, detail);
}

OFCondition store(work &job, T_ASC_PresentationContextID context, T_DIMSE_C_StoreRQ *request)
{
    char path[4096];
    job.files++;
    if (!cn_net_spool_path(job.own->spool, job.own->number, job.files, path, sizeof(path))) return EC_IllegalCall;
    OFCondition done =
        DIMSE_storeProvider(job.assoc, context, request, path, 1, nullptr, progress, &job, DIMSE_BLOCKING, 0);
    unlink(path); // the server has it, or does not want it
    return done;
}

OFCondition serve(work &job)
{
    OFCondition done = EC_Normal;
    while (done.good()) {
        T_ASC_PresentationContextID context;
        T_DIMSE_Message message;
        alarm(job.own->idle_s);
        done = DIMSE_receiveCommand(job.assoc, DIMSE_BLOCKING, 0, &context, &message, nullptr);
        if (done.bad()) break;
        if (message.CommandField == DIMSE_C_ECHO_RQ)
            done = DIMSE_sendEchoResponse(job.assoc, context, &message.msg.CEchoRQ, STATUS_Success, nullptr);
        else if (message.CommandField == DIMSE_C_STORE_RQ)
            done = store(job, context, &message.msg.CStoreRQ);
        else
            done = DIMSE_BADCOMMANDTYPE;
    }
    return done;
}

} // namespace

int cn_association_prepare(void)
{
    OFLog::configure(OFLogger::OFF_LOG_LEVEL); // its messages may hold what is in the files
    dcmDisableGethostbyaddr.set(OFTrue);
    return dcmDataDict.isDictionaryLoaded() ? 0 : -1;
}

int cn_association_serve(const cn_association *own)
{
    work job = {own, nullptr, 0, 0, 0};
    T_ASC_Network *network = nullptr;
    alarm(own->idle_s);
    dcmExternalSocketHandle.set(own->peer);
    if (ASC_initializeNetwork(NET_ACCEPTOR, 0, static_cast<int>(own->idle_s), &network).bad()) return 1;
    OFCondition done = ASC_receiveAssociation(network, &job.assoc, kPduBytes);
    if (done.good()) done = negotiate(job);
    if (done.good()) done = serve(job);
    if (done == DUL_PEERREQUESTEDRELEASE)
        done = ASC_acknowledgeRelease(job.assoc);
    else if (job.assoc && done != DUL_PEERABORTEDASSOCIATION && done != ASC_NULLKEY)
        ASC_abortAssociation(job.assoc);
    if (job.assoc) ASC_dropSCPAssociation(job.assoc, 1);
    return done.good() ? 0 : 1;
}
